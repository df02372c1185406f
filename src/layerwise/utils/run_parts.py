"""Which part of its run this process does: all of it, its beginning, some of its nodes, or its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Names the run that `kedro run` in this process is a part of.
RUN_ID_VARIABLE = "LAYERWISE_RUN_ID"


@dataclass(frozen=True)
class RunPart:
    """A part of a run.

    Args:
        run_id: of the run that was begun before; empty where this process begins it.
        ends: this process ends the run.
        failed: it ends as failed, whatever its nodes did.
    """

    run_id: str = ""
    ends: bool = True
    failed: bool = False


_given: list[RunPart] = []


def run_part() -> RunPart:
    """Return what a command said that this process does; else nodes of the run that the variable names, or all."""
    if _given:
        return _given[-1]
    run_id = os.environ.get(RUN_ID_VARIABLE, "")
    return RunPart(run_id, ends=not run_id)


@contextmanager
def part_of_run(part: RunPart) -> Iterator[None]:
    """Have the session of this block do this part of a run."""
    _given.append(part)
    try:
        yield
    finally:
        _given.pop()
