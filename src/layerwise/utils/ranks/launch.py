"""Run a training in several processes of this computer, and have its reports, its log and its result here.

torch's elastic agent starts the processes, and starts all of them anew when one dies: they go on from the last
checkpoint. They meet in files of a temporary folder, so that nothing listens but gloo, on the loopback.
"""

from __future__ import annotations

import functools
import logging
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
import torch.distributed as dist

from layerwise.utils import run_context
from layerwise.utils.errors import UserError
from layerwise.utils.ranks.backend import choose_backend, keep_to_the_loopback
from layerwise.utils.ranks.group import joined, world_size
from layerwise.utils.ranks.outer import Work, train_in_outer_ranks
from layerwise.utils.ranks.reports import Address, forwarded_reports, received_reports
from layerwise.utils.ranks.torchrun import in_torchrun

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

# So often all ranks start anew because one of them died.
MAX_RESTARTS = 3
# A rank waits so long for another, which may load rows or write a checkpoint meanwhile.
TIMEOUT = timedelta(hours=1)


@dataclass
class _LaunchedWork(Work):
    """What every rank does, on how many threads, and which level of its log is heard here."""

    threads: int
    log_level: int


def in_ranks(function: Callable[P, R]) -> Callable[P, R]:
    """Have a training run in `compute.ranks` processes; with 1 it is called as it is.

    They are started for it, but for those of an outer torchrun, which are there already.

    The function stands at the top of a module, and what it is given and what it returns can be pickled. The processes
    have copies of what it is given: what it changes, it returns.
    """

    @functools.wraps(function)
    def spread(*args: P.args, **kwargs: P.kwargs) -> R:
        ranks = run_context.compute().ranks
        if ranks == 1 or world_size() > 1:
            return function(*args, **kwargs)
        if in_torchrun():
            return train_in_outer_ranks(spread, args, kwargs)
        threads = max(1, torch.get_num_threads() // ranks)
        log.info("%d ranks train, each on %d thread(s)", ranks, threads)
        level = logging.getLogger("layerwise").getEffectiveLevel()
        return _launch(_LaunchedWork(spread, args, kwargs, run_context.snapshot(), threads, level), ranks)

    spread.is_spread = True  # type: ignore[attr-defined]
    return spread


def is_spread(function: Callable[..., Any]) -> bool:
    """Return whether a function runs in `compute.ranks` processes."""
    return getattr(function, "is_spread", False)


def _launch(work: _LaunchedWork, ranks: int) -> Any:
    """Run the work in processes and return what rank 0 returns; raise the error that stopped the first of them."""
    with tempfile.TemporaryDirectory(prefix="layerwise-ranks-") as name, received_reports() as address:
        folder = Path(name)
        (folder / "work").write_bytes(pickle.dumps(work))
        _run_agent(folder, address, ranks)
        outcomes = sorted(folder.glob("outcome_*"), key=lambda path: path.stat().st_mtime_ns)
        errors = [error for path in outcomes if (error := pickle.loads(path.read_bytes())[1]) is not None]
        if errors:  # a rank whose peer failed fails too, later
            raise errors[0]
        return pickle.loads((folder / "outcome_0").read_bytes())[0]


def _run_agent(folder: Path, address: Address, ranks: int) -> None:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # Else torch's own store would listen on every address of the computer.
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    keep_to_the_loopback()
    logging.getLogger("torch.distributed").setLevel(logging.ERROR)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=ranks,
        run_id=folder.name,
        rdzv_backend="c10d",
        rdzv_endpoint=str(folder / "rendezvous"),
        rdzv_configs={"store_type": "file"},
        local_addr="127.0.0.1",
        max_restarts=MAX_RESTARTS,
        shutdown_timeout=5,
    )
    received = None
    # The agent puts handlers of its own in their place and leaves them there.
    names = config.signals_to_handle.split(",")
    handlers = {number: signal.getsignal(number) for name in names if (number := getattr(signal, name, None))}
    try:
        elastic_launch(config, _work)(str(folder), address)
    except SignalException as error:
        received = error.sigval
    except ChildFailedError as error:
        raise RuntimeError(f"{MAX_RESTARTS + 1} times a rank died: {error.failures}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
    if received is not None:
        signal.raise_signal(received)
        raise RuntimeError(f"the ranks were stopped by {received.name}")


def _work(folder: str, address: Address) -> None:
    """Do the work as one of the ranks, in a process of its own."""
    # It comes with Ctrl-C, and when the process that started this one is gone.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    names = "RANK", "WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT"
    rank, size, attempt = (int(os.environ[name]) for name in names)
    outcome = Path(folder, f"outcome_{rank}")
    outcome.unlink(missing_ok=True)
    logging.disable(logging.INFO)  # what is imported says again what the run has said
    work: _LaunchedWork = pickle.loads(Path(folder, "work").read_bytes())
    logging.disable(logging.NOTSET)
    torch.set_num_threads(work.threads)
    backend = choose_backend(rank, size)
    run_context.restore(work.context, writes=rank == 0, resume=attempt > 0)
    store = dist.FileStore(str(Path(folder, f"store_{attempt}")), size)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
    result, failure = None, None
    try:
        with joined(rank, size), forwarded_reports(address, rank, work.log_level):
            result = work.function(*work.args, **work.kwargs)
    except Exception as error:
        failure = error if isinstance(error, UserError) else RuntimeError(f"rank {rank}: {error!r}")
        log.debug("rank %d failed", rank, exc_info=True)
    outcome.write_bytes(pickle.dumps((result if rank == 0 else None, failure)))
    dist.destroy_process_group()
