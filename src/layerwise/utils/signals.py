"""Delay Ctrl-C and SIGTERM while something is done that must not be cut."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A longer wait is cut into such ones, or Ctrl-C may come after it: where a library such as Polars is imported, the
# system goes on with a wait that a signal has cut.
NOTICE_SECONDS = 1.0


@contextmanager
def delay_signals() -> Iterator[None]:
    """Let a first Ctrl-C or SIGTERM wait until what is done within has ended; a second one cuts it.

    A query of SQLite's that is cut keeps the database locked for as long as the exception's traceback lives, and the
    run that was interrupted could no longer say so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # What ends the process at once, or is ignored, needs no care.
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    received: list[int] = []

    def restore() -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def wait(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            restore()
            signal.raise_signal(number)

    for number in handlers:
        signal.signal(number, wait)
    try:
        yield
    finally:
        restore()
    if received:
        signal.raise_signal(received[0])
