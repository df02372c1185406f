"""Plain text, without a quote or a faulty row, read by pandas: its columns of numbers become numbers at once.

A column becomes numbers only if each of its cells is one, and then each is what `float` makes of its text. All else is
text as it stands, as `read_records` gives it, ten times as slowly.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from layerwise.data.reading.files.text.headers import Header
from layerwise.data.reading.files.text.lines import UNKNOWN_BYTE
from layerwise.data.reading.files.text.records import Dialect

if TYPE_CHECKING:
    import pandas as pd

# Whole numbers beyond are read as text: a float does not hold them.
EXACT_WHOLE = 2**53


class NumberColumns(NamedTuple):
    """Which columns of a file may become numbers at once.

    Args:
        names: of those that may; None for all.
        text: of those that may not.
        codes_are_text: whether a column with a cell like 007 stays text.
    """

    names: frozenset[str] | None = None
    text: frozenset[str] = frozenset()
    codes_are_text: bool = False

    def of(self, names: Collection[str]) -> set[str]:
        """Return which of the names may become numbers."""
        return {
            name for name in names if (self.names is None or name in self.names) and name not in self.text
        }


def read_plain(
    lines: list[str], dialect: Dialect, header: Header, numbers: NumberColumns
) -> pd.DataFrame | None:
    """Return the cells of lines without their header, "" where text is empty and NaN where a number is; None where
    they have to be read one by one.

    Args:
        lines: each with its end.
        dialect: how they are cut.
        header: the names of their cells.
        numbers: which columns may become numbers.
    """
    import pandas as pd

    separator, n = dialect.separator, len(header.names)
    text = _plain_text(lines, dialect, n)
    if text is None:
        return None
    if not text.endswith("\n"):
        text += "\n"
    raw = text.encode()
    wanted = numbers.of(header.kept_names)
    may_be = {k for k in header.kept if header.names[k] in wanted}

    def read(as_text: set[int], **options: Any) -> pd.DataFrame:
        options["dtype"] = dict.fromkeys(as_text, str)
        found: pd.DataFrame = pd.read_csv(
            io.BytesIO(raw),
            sep=separator,
            header=None,
            na_values=[""],
            quoting=csv.QUOTE_NONE,
            skipinitialspace=True,
            keep_default_na=False,
            skip_blank_lines=False,
            low_memory=False,
            **options,
        )
        return found

    try:
        found = read(set(header.kept) - may_be)
    except pd.errors.ParserError:  # a row is longer than the first one
        return None
    # With as many separators as the rows have to have, and no row longer, each row has its own.
    if found.shape != (len(lines), n):
        return None
    # A word in a column that is left out may make its row a total.
    if not all(_are_numbers(found[k]) for k in set(range(n)) - set(header.kept)):
        return None
    other = {k for k in may_be if not _are_numbers(found[k])}
    if numbers.codes_are_text and any(_is_whole(found[k]) for k in may_be - other):
        other |= may_be & _columns_with_codes(raw, separator, n)
    if other:
        found[sorted(other)] = read(other, usecols=sorted(other))
    return pd.DataFrame(
        {header.names[k]: found[k] if k in may_be - other else _stripped(found[k]) for k in header.kept}
    )


def _plain_text(lines: list[str], dialect: Dialect, n: int) -> str | None:
    """Return lines of n cells each, as far as counting characters tells, with nothing quoted; None for others."""
    separator = dialect.separator
    if n < 2 or separator == " " or not separator.isascii() or not lines:
        return None
    text = "".join(lines)
    if lines[0].count(separator) != n - 1 or text.count(separator) != len(lines) * (n - 1):
        return None
    if (dialect.quote and dialect.quote in text) or ("\r" in text and text.count("\r") != text.count("\r\n")):
        return None
    return text if text.isascii() or not UNKNOWN_BYTE.search(text) else None


def _are_numbers(column: pd.Series) -> bool:
    if column.dtype.kind == "i":
        return bool(np.abs(column.to_numpy()).max(initial=0) <= EXACT_WHOLE)
    return column.dtype.kind == "f"


def _is_whole(column: pd.Series) -> bool:
    if column.dtype.kind == "i":
        return True
    values = column.to_numpy()
    with np.errstate(invalid="ignore"):  # infinity has no remainder
        return not any((part % 1 > 0).any() for part in (values[:100], values))


def _stripped(column: pd.Series) -> pd.Series:
    """Return cells of pandas's `str` as text of Python's without blanks around it, "" where one is empty."""
    return column.str.strip().fillna("").astype(object)


def _columns_with_codes(raw: bytes, separator: str, n: int) -> set[int]:
    """Return the positions of the columns with a cell that begins with a zero before another digit."""
    letters = np.frombuffer(raw, np.uint8)
    zeros = np.flatnonzero(letters[:-1] == ord("0"))
    before, after = letters[zeros - 1], letters[zeros + 1]
    begins = (zeros == 0) | (before == ord(separator)) | (before == ord("\n")) | (before == ord(" "))
    codes = zeros[begins & (after >= ord("0")) & (after <= ord("9"))]
    if not len(codes):
        return set()
    # Each line has as many ends as the header has cells.
    ends = np.flatnonzero((letters == ord(separator)) | (letters == ord("\n")))
    return set((np.searchsorted(ends, codes) % n).tolist())
