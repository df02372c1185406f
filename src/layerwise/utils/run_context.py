"""What the present run is about: project, problem, who listens to its metrics, where its checkpoints go.

One object of the module holds it, and not a ContextVar: the threads of a pool would not see one. Training code reports
here and knows no tracker; a tracker (the MLflow hook) registers itself as a listener.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol


class Listener(Protocol):
    """What a tracker offers."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None: ...

    def log_tags(self, tags: Mapping[str, str]) -> None: ...


# Named numbers with their epoch, as `report_metrics` was given them.
Report = tuple[dict[str, float], int | None]


class Checkpointer(Protocol):
    """Where the checkpoints of a run go, as its nodes see it (`layerwise.checkpointing.CheckpointStore`)."""

    # Of the run, whose id is its name.
    folder: Path
    # What is there may be read.
    resume: bool

    @property
    def on(self) -> bool:
        """True when checkpoints are written."""
        ...

    def set_scope(self, scope: str) -> None:
        """Say under which name what is trained from now on is kept, such as the node's."""


@dataclass(frozen=True)
class Compute:
    """Where and how a run computes, as `compute` of the parameters says it.

    Args:
        device: auto, cpu, cuda, cuda:1, mps.
        capture_steps: capture a training step once on a GPU and repeat it.
        gpu: `auto` may take a GPU; False where the run began on a computer without one.
        ranks: processes that train together.
        out_of_core: rows stay in files.
    """

    device: str = "auto"
    capture_steps: bool = True
    gpu: bool = True
    ranks: int = 1
    out_of_core: bool = False


@dataclass
class RunContext:
    """The present run: its project, its problem with its parameters and the kind of its rows, who listens."""

    project: Path = Path()
    problem: str = "unnamed"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rows: str | None = None
    listeners: list[Listener] = field(default_factory=list)
    collectors: dict[int, list[Report]] = field(default_factory=dict)
    checkpoints: Checkpointer | None = None
    compute: Compute = Compute()
    # Of a trial of a sweep: why its training shall stop, empty while it goes on; None outside of one.
    trial_stop: str | None = None


_context = RunContext()


def set_run_context(
    project: Path, problem: str, parameters: Mapping[str, Any] | None = None, rows: str | None = None
) -> None:
    """Say which project and problem the session is about; the configuration loader does, before the catalog is read.

    Args:
        project: its folder.
        problem: its name.
        parameters: all of the session's; the catalog names some of them with `${parameter:}`.
        rows: what kind of rows the problem has: images or table; None where that is not known yet.
    """
    _context.project, _context.problem = Path(project), problem
    _context.parameters, _context.rows = dict(parameters or {}), rows


def snapshot() -> RunContext:
    """Return the present run without its listeners, for `restore` in another process."""
    return replace(_context, listeners=[], collectors={})


def restore(context: RunContext, writes: bool, resume: bool) -> None:
    """Make this process one of the run of which `snapshot` gave the context.

    Args:
        context: of the run.
        writes: this process writes the run's checkpoints.
        resume: training goes on from those that are there.
    """
    vars(_context).update(vars(context))
    if _context.checkpoints is not None:
        _context.checkpoints.resume |= resume
    if not writes:
        _context.checkpoints = None


def run_parameters() -> Mapping[str, Any]:
    """Return the session's parameters as configured; empty before a session is there."""
    return _context.parameters


def kind_of_rows() -> str | None:
    """Return what kind of rows the problem has, None where there is no problem yet."""
    return _context.rows


def parameter(name: str) -> Any:
    """Return a parameter by its dotted name, None where it is not set; the resolver behind `${parameter:}`."""
    return look_up(_context.parameters, name)


def look_up(parameters: Mapping[str, Any], name: str) -> Any:
    """Return one of nested parameters by its dotted name, None where it is not set."""
    value: Any = parameters
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def problem() -> str:
    """Return the problem's name; the resolver behind `${problem:}` in the catalog."""
    return _context.problem


def project_path() -> Path:
    """Return the project's folder."""
    return _context.project


def set_compute(chosen: Compute) -> None:
    """Say where and how what is trained from now on in this process computes."""
    _context.compute = chosen


def compute() -> Compute:
    """Return where and how this process computes."""
    return _context.compute


def add_listener(listener: Listener) -> None:
    """Send everything that is reported from now on to the listener too."""
    _context.listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    """Stop sending to the listener; unknown ones are ignored."""
    if listener in _context.listeners:
        _context.listeners.remove(listener)


def report_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Report named numbers, with the epoch as step."""
    collected = _context.collectors.get(threading.get_ident())
    if collected is not None:
        collected.append((dict(metrics), step))
        return
    for listener in _context.listeners:
        listener.log_metrics(metrics, step)


@contextmanager
def collected_reports() -> Iterator[list[Report]]:
    """Collect the metrics that this thread reports meanwhile, and send them to no listener.

    For a training whose curves are not the run's own, such as that of a fold of a cross-validation.
    """
    thread, found = threading.get_ident(), list[Report]()
    before = _context.collectors.get(thread)
    _context.collectors[thread] = found
    try:
        yield found
    finally:
        if before is None:
            del _context.collectors[thread]
        else:
            _context.collectors[thread] = before


def current_reports() -> list[Report] | None:
    """Return what `collected_reports` has of this thread so far, which a checkpoint keeps; None where none collects."""
    return _context.collectors.get(threading.get_ident())


def report_tags(tags: Mapping[str, str]) -> None:
    """Report facts about the run, such as the source of its rows."""
    for listener in _context.listeners:
        listener.log_tags(tags)


def flush_reports() -> None:
    """Have every listener send what it still holds back."""
    for listener in _context.listeners:
        flush = getattr(listener, "flush", None)
        if flush is not None:
            flush()


def set_checkpoint_store(checkpoints: Checkpointer | None) -> None:
    """Write the checkpoints of all training in this process here from now on; None stops that."""
    _context.checkpoints = None if checkpoints is None or not checkpoints.on else checkpoints


def current_checkpoint_store() -> Checkpointer | None:
    """Return where checkpoints are written now, if anywhere."""
    return _context.checkpoints


@contextmanager
def trial() -> Iterator[None]:
    """Have the sessions of this block be one trial of a sweep, which has no run of its own and can be stopped."""
    _context.trial_stop = ""
    try:
        yield
    finally:
        _context.trial_stop = None


def in_trial() -> bool:
    """Return whether the present session is a trial of a sweep."""
    return _context.trial_stop is not None


def stop_trial(reason: str) -> None:
    """Have what is trained in the trial end after the present epoch, for this reason."""
    _context.trial_stop = reason


def trial_stopped() -> str:
    """Return why the trial's training shall stop; empty while it goes on, and outside of a trial."""
    return _context.trial_stop or ""
