"""A line of the log now and then, for work that takes long where nobody watches a terminal."""

from __future__ import annotations

import logging
import sys
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
