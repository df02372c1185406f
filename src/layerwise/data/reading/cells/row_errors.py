"""What is wrong with each row of some rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MAX_SHOWN_LETTERS = 40
# How much is said of what is wrong with a row.
MOST_REASONS = 5
ATTRIBUTE = "row_errors"


class RowErrors:
    """What is wrong with each row of a chunk.

    Args:
        n_rows: rows of the chunk.
    """

    def __init__(self, n_rows: int) -> None:
        self.reasons = np.full(n_rows, "", dtype=object)
        self._numbers = np.zeros(n_rows, dtype=np.int64)
        # The cells that could not be read, by column and position, those of columns that do not count too.
        self.cells: dict[str, dict[int, str]] = {}

    def add(self, rows: np.ndarray, reasons: list[str] | str) -> None:
        """Add a reason for each of the rows at these positions; of a row's, the first five are said."""
        texts = [reasons] * len(rows) if isinstance(reasons, str) else reasons
        for row, reason in zip(rows, texts, strict=True):
            self._numbers[row] += 1
            if self._numbers[row] <= MOST_REASONS:
                self.reasons[row] = f"{self.reasons[row]}; {reason}" if self.reasons[row] else reason
            elif self._numbers[row] == MOST_REASONS + 1:
                self.reasons[row] += "; and more"

    def add_cells(self, column: str, reasons: dict[int, str], counts: bool) -> None:
        """Add the cells of a column that could not be read, by position; they make their rows wrong if they count."""
        if reasons:
            self.cells[column] = reasons
            if counts:
                self.add(np.array(list(reasons), dtype=np.int64), list(reasons.values()))

    @property
    def bad(self) -> np.ndarray:
        """Whether anything is wrong with a row, (n,) bool."""
        return self.reasons != ""

    def __deepcopy__(self, memo: dict[int, Any]) -> RowErrors:
        # pandas copies what a frame's attrs hold with every column that is taken from it.
        return self


def row_errors_of(frame: pd.DataFrame) -> RowErrors | None:
    """Return the errors of a frame that a reading has parsed, whole; None of any other one."""
    found = frame.attrs.get(ATTRIBUTE)
    return found if isinstance(found, RowErrors) else None


def shown(value: object) -> str:
    """Return a cell as a message shows it: text in quotes, cut after some letters."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_SHOWN_LETTERS else f"{text[: MAX_SHOWN_LETTERS - 1]}…"
