"""Training in the processes that an outer `torchrun` started, on one computer or on several.

Rank 0 is the run: it alone runs nodes and hooks. The other processes wait, and train beside it what it hands them, so
that a computer needs the project's code, and none of its files. When a process dies, torchrun ends the others; if it
starts all of them anew, rank 0 goes on with the run from its last checkpoint.
"""

from __future__ import annotations

import functools
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch.distributed as dist

from layerwise.utils import run_context
from layerwise.utils.ranks.backend import choose_backend, keep_to_the_loopback
from layerwise.utils.ranks.group import from_rank_0, joined
from layerwise.utils.ranks.torchrun import local_ranks, torchrun_rank, torchrun_size

# How long the other ranks wait for work, while rank 0 reads rows or evaluates.
PATIENCE = timedelta(days=7)
# Seconds that another rank waits after an error: rank 0, which most likely has it too, says it and ends the command.
GRACE = 10.0
# What rank 0 leaves in torchrun's store: the run that trains.
RUN = "layerwise/run"


@dataclass
class Work:
    """What every rank does; `context` is the run's."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    context: run_context.RunContext


def meet_outer_ranks() -> None:
    """Wait for the other processes that torchrun started; those of one computer meet on the loopback."""
    if local_ranks(torchrun_size()) == torchrun_size():
        keep_to_the_loopback()
    rank, size, store = torchrun_rank(), torchrun_size(), _launchers_store()
    backend = choose_backend(int(os.environ["LOCAL_RANK"]), local_ranks(size))
    if store is None:
        dist.init_process_group(backend, timeout=PATIENCE)
        return
    # Under a name of the attempt: torchrun's store still has the addresses of those that it has started before.
    own = dist.PrefixStore(  # type: ignore[attr-defined]
        f"layerwise/{os.environ['TORCHELASTIC_RESTART_COUNT']}", store
    )
    dist.init_process_group(backend, store=own, rank=rank, world_size=size, timeout=PATIENCE)


def train_in_outer_ranks(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """As rank 0, do a work together with the other ranks; return what it returns here."""
    checkpoints, store = run_context.current_checkpoint_store(), _launchers_store()
    if checkpoints is not None and store is not None:
        store.set(RUN, str(checkpoints.folder.absolute()))
    with joined(0, torchrun_size()):
        from_rank_0(Work(function, args, kwargs, run_context.snapshot()))
        return function(*args, **kwargs)


def interrupted_run() -> str:
    """Return the id of the run that trained when torchrun started all ranks anew; empty if there is none.

    A run that failed before its first checkpoint has left no folder, and a new one begins in its place.
    """
    store = _launchers_store()
    if store is None or not store.check([RUN]):
        return ""
    folder = Path(store.get(RUN).decode())
    return folder.name if folder.is_dir() else ""


@functools.cache
def _launchers_store() -> Any:
    """Return torchrun's own store, which outlives the processes that it starts; None where it was told to have none."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None
    address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return dist.TCPStore(*address, is_master=False, timeout=PATIENCE)  # type: ignore[attr-defined]


def dismiss_outer_ranks() -> None:
    """As rank 0, tell the others that there is no more work."""
    with joined(0, torchrun_size()):
        from_rank_0(None)
    dist.destroy_process_group()


def work_for_rank_0() -> None:
    """As another rank, do what rank 0 hands out, until there is no more; say nothing of what rank 0 says."""
    logger = logging.getLogger("layerwise")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    with joined(torchrun_rank(), torchrun_size()):
        while (work := from_rank_0(None)) is not None:
            run_context.restore(work.context, writes=False, resume=False)
            try:
                work.function(*work.args, **work.kwargs)
            except Exception:
                time.sleep(GRACE)
                raise
    dist.destroy_process_group()
