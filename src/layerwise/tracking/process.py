"""The hooks that fit the process to a run, and say which problem the session is about."""

from __future__ import annotations

import atexit
import ctypes
import gc
import logging
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from layerwise.data import DataError
from layerwise.tracking.environment import tracking_uri
from layerwise.utils import LongWork, kind_of_rows

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.pipeline.node import Node

log = logging.getLogger(__name__)
# A table of so many rows takes megabytes.
MANY_ROWS = 100_000
# How many threads run in the whole system, this one too, before a slash; and the ticks of all cores since it began.
LOAD_FILE, TICKS_FILE = Path("/proc/loadavg"), Path("/proc/stat")
SECONDS_WATCHED = 0.1
# Thresholds of the garbage collector: how many objects more than were freed are made between two searches of the
# youngest, and how many of those there are between searches of the older ones. Imports make a million objects.
RARELY, HARDLY = (100_000, 50, 1000), (10_000_000, 50, 1000)
# Whoever sets one of these has chosen how the threads of a product wait for each other.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def collect_garbage_rarely() -> None:
    """Have Python search for garbage rarely, from before the pipelines are imported on."""
    # What is imported stays, and there is much of it: collecting through it again and again takes two seconds.
    if gc.get_threshold()[0] < RARELY[0]:
        gc.set_threshold(*RARELY)
    # The same at the end: the process's memory is freed as a whole, and collecting it first costs two more.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def collect_no_garbage_yet() -> None:
    """Have Python search for no garbage while a command is imported, until `collect_garbage_of_work` is called.

    Once in a process: what a later command of it leaves behind is not to be kept for ever.
    """
    if gc.get_freeze_count() == 0:
        gc.set_threshold(*HARDLY)


def collect_garbage_of_work() -> None:
    """Have Python search for garbage again after `collect_no_garbage_yet`, in what is made from now on alone."""
    if gc.get_threshold() == HARDLY:
        gc.freeze()
        gc.set_threshold(*RARELY)


def release_memory() -> None:
    """Give memory that nothing uses back to the system: the reading of a table leaves as much as the table takes."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)


def sleep_beside_other_work() -> None:
    """Let the threads of a product sleep while they wait, where other programs keep a quarter of the cores busy.

    They wait busily otherwise, which is faster on an idle computer, and takes twice to forty times as long where the
    system gives their core to others. The numbers are the same. It has to be called before torch is imported.
    """
    if any(name in os.environ for name in THREAD_VARIABLES):
        return
    few = max(1, (os.cpu_count() or 1) // 4)
    with suppress(OSError, IndexError, ValueError):  # another system than Linux
        # An idle computer is known at a look; the system's own work, such as writing files, is none of other programs.
        if int(LOAD_FILE.read_text().split()[3].partition("/")[0]) > few and busy_cores() > 0.8 * few:
            os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
            log.info("other programs keep the processors busy: threads sleep while they wait for each other")


def busy_cores() -> float:
    """Return how many cores programs keep busy while this one sleeps for a tenth of a second."""
    began, ticks = time.perf_counter(), _program_ticks()
    time.sleep(SECONDS_WATCHED)
    seconds = time.perf_counter() - began
    return (_program_ticks() - ticks) / os.sysconf("SC_CLK_TCK") / seconds


def _program_ticks() -> int:
    """Return the ticks that programs have had of all processors, those of the system's own work left out."""
    user, nice = TICKS_FILE.read_text().split()[1:3]
    return int(user) + int(nice)


class ProcessHook:
    """Set how worker processes start, how often memory is searched for garbage, and when it is given back; say which
    node goes on where nothing else is said.
    """

    def __init__(self) -> None:
        self._at_work: dict[str, LongWork] = {}

    @hook_impl(tryfirst=True)
    def after_context_created(self) -> None:
        """Set both, before the pipelines are imported."""
        if sys.platform == "linux":
            # Kedro 1.7 runs nodes without their hooks in a spawned worker, and fails where it knows the package.
            os.environ.setdefault("KEDRO_MP_CONTEXT", "fork")
        collect_garbage_rarely()

    @hook_impl
    def after_dataset_loaded(self, data: Any) -> None:
        """Give back what the reading of many rows has left."""
        # That it is a DataFrame is asked without importing pandas, which not every run needs.
        if hasattr(data, "memory_usage") and len(data) >= MANY_ROWS:
            release_memory()

    @hook_impl(trylast=True)
    def before_pipeline_run(self) -> None:
        """Watch no longer what was interrupted in this process, of which Kedro tells no hook; collect garbage again."""
        collect_garbage_of_work()
        for name in list(self._at_work):
            self._end_of(name)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Begin to watch for silence."""
        work = self._at_work[node.name] = LongWork(log, node.name)
        work.begin()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Watch no longer."""
        self._end_of(node.name)

    @hook_impl
    def on_node_error(self, node: Node) -> None:
        """Watch no longer."""
        self._end_of(node.name)

    def _end_of(self, name: str) -> None:
        work = self._at_work.pop(name, None)
        if work is not None:
            work.end()


class ProblemHook:
    """Say which problem the session is about, before its pipelines are composed and the catalog's paths resolved."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Take the environment's problem, or that of the model which the command names, and read the catalog."""
        loader: Any = context.config_loader
        loader.project = Path(context.project_path)
        for pipeline in ("predict", "evaluate"):
            named = (loader.runtime_params or {}).get(pipeline)
            model = named.get("model") if isinstance(named, dict) else None
            if isinstance(model, str) and model:
                # Imported here, as it imports torch.
                from layerwise.tracking.logged_models.model_lookup import find_model

                found = find_model(model, tracking_uri(Path(context.project_path)))
                loader.model_problem = found.manifest.problem
                break
        loader["catalog"]

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Refuse rows of another kind than the pipelines were composed for."""
        if dataset_name != "raw":
            return
        from layerwise.data.sources import Documents, Images, Ratings, Texts

        kinds = {Images: "images", Ratings: "ratings", Documents: "documents", Texts: "documents"}
        kind, expected = kinds.get(type(data), "table"), kind_of_rows()
        if expected is not None and kind != expected:
            raise DataError(
                f'the entry raw gives {kind}, and its class says {expected}: set `ROWS = "{kind}"` in the class'
            )
