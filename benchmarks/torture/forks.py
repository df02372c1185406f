"""Processes that have everything imported: forks of this one, which runs nothing itself."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path


def start(work: Callable[[], int]) -> int:
    """Do something in a fork; return its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os._exit(work())
    return pid


def status_of(work: Callable[[], int]) -> int:
    """Do something in a fork, and wait for its end; return its exit status, minus a signal's number."""
    return os.waitstatus_to_exitcode(os.waitpid(start(work), 0)[1])


def warm_up(work: Callable[[], int], scratch: Path) -> int:
    """Do something in a fork for the first time, and import here what it imported; return its exit status.

    Args:
        work: what later forks do.
        scratch: a file for the names.
    """

    def named() -> int:
        status = work()
        scratch.write_text(json.dumps(list(sys.modules)))
        return status

    status = status_of(named)
    for name in json.loads(scratch.read_text()):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    return status


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has had; infinity for one that is over."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return float("inf") if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / ticks
