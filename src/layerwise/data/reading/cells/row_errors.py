"""What is wrong with each row of some rows."""

from __future__ import annotations

import numpy as np

MAX_SHOWN_LETTERS = 40


class RowErrors:
    """What is wrong with each row of a chunk.

    Args:
        n_rows: rows of the chunk.
    """

    def __init__(self, n_rows: int) -> None:
        self.reasons = np.full(n_rows, "", dtype=object)

    def add(self, rows: np.ndarray, reasons: list[str] | str) -> None:
        """Add a reason for each of the rows at these positions."""
        texts = [reasons] * len(rows) if isinstance(reasons, str) else reasons
        for row, reason in zip(rows, texts, strict=True):
            self.reasons[row] = f"{self.reasons[row]}; {reason}" if self.reasons[row] else reason

    @property
    def bad(self) -> np.ndarray:
        """Whether anything is wrong with a row, (n,) bool."""
        return self.reasons != ""


def shown(value: object) -> str:
    """Return a cell as a message shows it: text in quotes, cut after some letters."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_SHOWN_LETTERS else f"{text[: MAX_SHOWN_LETTERS - 1]}…"
