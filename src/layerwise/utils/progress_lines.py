"""A line of the log now and then, for work that takes long where nobody watches a terminal."""

from __future__ import annotations

import logging
import sys
import threading
import time

SECONDS_BETWEEN = 30.0


class ProgressLines:
    """Log how far some work has come, every half a minute; nothing where the output is a terminal, which has a bar.

    Args:
        log: where the lines go.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last = time.monotonic()
        self.shown = not sys.stderr.isatty()

    @property
    def due(self) -> bool:
        """Whether half a minute has passed since the last line, or since the work began."""
        return self.shown and time.monotonic() - self._last >= SECONDS_BETWEEN

    def say(self, message: str, *values: object) -> None:
        """Log a message with its values if a line is due."""
        if self.due:
            self._last = time.monotonic()
            self._log.info(message, *values)


class LongWork(logging.Handler):
    """Log that work goes on wherever half a minute has passed without any line, as in a library's long fit.

    Nothing where the output is a terminal, nor in an interactive session: one that is interrupted there goes on, and
    nothing would end the lines.

    Args:
        log: where the lines go.
        name: of the work.
    """

    def __init__(self, log: logging.Logger, name: str) -> None:
        super().__init__(logging.INFO)
        self._log, self._work = log, name
        self._began = self._last = time.monotonic()
        self._ended = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Take note that a line has come."""
        self._last = time.monotonic()

    def begin(self) -> None:
        """Watch the log from now on."""
        if not sys.stderr.isatty() and not hasattr(sys, "ps1"):
            logging.getLogger().addHandler(self)
            threading.Thread(target=self._watch, daemon=True, name="long work").start()

    def end(self) -> None:
        """Watch it no longer."""
        self._ended.set()
        logging.getLogger().removeHandler(self)

    def _watch(self) -> None:
        while not self._ended.wait(self.say_if_silent(time.monotonic())):
            pass

    def say_if_silent(self, now: float) -> float:
        """Log that the work goes on if nothing has been said for long; return the seconds until that may be so again.

        Args:
            now: seconds, as `time.monotonic` counts them.
        """
        if now - self._last >= SECONDS_BETWEEN:
            self._last = now
            self._log.info("%s goes on, %.0f s so far", self._work, now - self._began)
        return self._last + SECONDS_BETWEEN - now
