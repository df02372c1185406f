"""One column's reading: what its cells mean, each by itself, whether text or typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.reading.cells.affixes import plain_text, tidy
from layerwise.data.reading.cells.dates import iso_datetimes, parse_dates, texts_of_dates
from layerwise.data.reading.cells.numbers import NumberFormat
from layerwise.data.reading.cells.row_errors import shown
from layerwise.data.reading.pairs import pair_form, pair_of, pair_text
from layerwise.data.reading.settings import CellKind
from layerwise.utils import Config

if TYPE_CHECKING:
    import pandas as pd

NULL_WORDS = ("NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A")
# Networks compute in float32.
LARGEST = float(np.finfo(np.float32).max)
TRUE, FALSE = 1.0, 0.0


class ColumnReading(Config):
    """How the cells of one column are read; fixed at training.

    Args:
        kind: what it holds. A cell of free text or of a category keeps its text, as `plain_text` has it.
        dtype: of the values: int64, float64, bool, str, datetime64[us] or datetime64[us, UTC].
        number: how numbers in text are written.
        true_words, false_words: of a boolean, in lower case.
        dates: formats, tried in order; after them ISO datetimes with a T are read too, as JSON has them.
        missing: cells that mean no value, beside empty ones; a number among them in any spelling.
        text: whether its cells were text in training.
        width: of codes with leading zeros, which shorter whole numbers are filled to; -1 leaves all leading zeros out.
        notes: what a user may want to know of it.
        doubtful: cells that are kept as values and may mean that there is none.
        ignore_case: whether its words are read in small letters.
        spellings: words that differ in capitals alone and are different values.
        words: of a boolean, false and true as training wrote them; None for 0 and 1.
        whole: whether all its numbers were whole, beside empty cells too.
        mark: of a pair, what stands between its two numbers; its values are text, `120/80`.
    """

    kind: CellKind
    dtype: str
    number: NumberFormat = NumberFormat()
    true_words: tuple[str, ...] = ()
    false_words: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    text: bool = True
    width: int = 0
    notes: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    ignore_case: bool = False
    spellings: tuple[str, ...] = ()
    words: tuple[str, str] | None = None
    whole: bool = False
    mark: str = ""

    def parse(self, column: pd.Series, errors: dict[int, str]) -> pd.Series:
        """Return the values of a column's cells; a cell that has none is missing, and `errors` says why."""
        readers: dict[str, Callable[[pd.Series, dict[int, str]], pd.Series]] = {
            "number": self._numbers,
            "boolean": self._numbers,
            "date": self._dates,
            "pair": self._pairs,
        }
        return readers.get(self.kind, self._texts)(column, errors)

    def text_of_dates(self, dates: pd.Series) -> pd.Series:
        """Return dates as a caller would send them: written as in training where they were text."""
        return texts_of_dates(dates, self.dates[0]) if self.text else dates

    def number_of(self, text: str) -> float | None:
        """Return the number that a text means, NaN for none, or None where it is no number at all."""
        text = plain_text(text)
        if not text or text in self.missing:
            return np.nan
        if self.kind == "boolean":
            word = text.lower()
            if word in self.true_words or word in self.false_words:
                return TRUE if word in self.true_words else FALSE
        value = self.number.value_of(text)
        return np.nan if value is not None and value in self._missing_numbers else value

    def code_of(self, text: str) -> str:
        """Return a category's text, codes of digits with the leading zeros that they had in training."""
        if self.width and text.isdigit() and text.isascii():
            return text.zfill(self.width) if self.width > 0 else text.lstrip("0") or "0"
        return text

    @cached_property
    def _missing_numbers(self) -> set[float]:
        return {v for v in (self.number.value_of(w) for w in self.missing) if v is not None}

    def _numbers(self, column: pd.Series, errors: dict[int, str]) -> pd.Series:
        import pandas as pd

        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
            wrong = np.zeros(len(values), dtype=bool)
            markers = self._missing_numbers
            if not markers and np.abs(values[~np.isnan(values)]).max(initial=0) <= LARGEST:
                return column
            values = np.where(np.isin(values, list(markers)), np.nan, values)
        else:
            values, wrong = self._numbers_of_cells(column)
        said = " or ".join(self.words or ("0", "1")) if self.kind == "boolean" else "a number"
        bad = np.flatnonzero(wrong)
        errors |= {
            int(k): f"{column.name} is {said}, and holds {shown(v)}"
            for k, v in zip(bad, column.iloc[bad], strict=True)
        }
        infinite = np.isinf(values)
        errors |= dict.fromkeys(np.flatnonzero(infinite).tolist(), f"{column.name} is infinite")
        huge = np.flatnonzero(~infinite & (np.abs(np.nan_to_num(values)) > LARGEST))
        errors |= {
            int(k): f"{column.name} holds {values[k]:g}, which is too large to compute with" for k in huge
        }
        values[infinite] = values[huge] = np.nan
        whole = self.dtype in ("int64", "bool") and not np.isnan(values).any() and np.all(values % 1 == 0)
        if self.dtype == "bool" and not np.isin(values, (0, 1)).all():
            whole = False
        dtype = pd.api.types.pandas_dtype(self.dtype if whole else "float64")
        return pd.Series(values, index=column.index, name=column.name).astype(dtype)

    def _numbers_of_cells(self, column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of text, or of cells of several types, and which cells are no numbers."""
        import pandas as pd

        if is_all_text(column):
            codes, distinct = pd.factorize(column)
            texts = [plain_text(str(text)) for text in distinct]
            values, right = self._numbers_of_texts(texts)
            # A missing cell has the code -1.
            return np.append(values, np.nan)[codes], ~np.append(right, True)[codes]
        found = [self._number_of_cell(cell) for cell in column]
        values = np.array([np.nan if v is None else v for v in found], dtype=np.float64)
        return values, np.array([v is None for v in found], dtype=bool)

    def _numbers_of_texts(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        if self.kind == "number" and not any(not t or t in self.missing for t in texts):
            values, right = self.number.values_of(texts)
            if right.all():
                return np.where(np.isin(values, list(self._missing_numbers)), np.nan, values), right
        found = [self.number_of(text) for text in texts]
        return (
            np.array([np.nan if v is None else v for v in found], dtype=np.float64),
            np.array([v is not None for v in found], dtype=bool),
        )

    def _number_of_cell(self, cell: Any) -> float | None:
        import pandas as pd

        if isinstance(cell, str | timedelta | time):
            return self.number_of(str(cell))
        if isinstance(cell, bool | np.bool_):
            return float(cell)
        if pd.api.types.is_scalar(cell) and pd.isna(cell):
            return np.nan
        try:
            value = float(cell)
        except OverflowError:
            return float("inf")
        except (TypeError, ValueError):
            return None
        return np.nan if value in self._missing_numbers else value

    def _dates(self, column: pd.Series, errors: dict[int, str]) -> pd.Series:
        import pandas as pd

        aware = "," in self.dtype
        if pd.api.types.is_datetime64_any_dtype(column):
            when = column
        else:
            # A day comes in many rows: each text is understood once.
            codes, cells = _codes_of(column)
            texts = [_tidy_text(cell) for cell in cells]
            distinct = sorted({text for text in texts if text and text not in self.missing})
            # A datetime of another program, such as JSON's, has one reading, however training wrote its dates.
            formats = (*self.dates, *iso_datetimes(aware))
            parsed = dict(zip(distinct, parse_dates(distinct, formats), strict=True))
            nat = np.datetime64("NaT", "us")
            values = np.array([parsed.get(text, nat) for text in texts], dtype="datetime64[us]")[codes]
            wrong = np.array([text in parsed and np.isnat(parsed[text]) for text in texts], dtype=bool)
            bad = np.flatnonzero(wrong[codes])
            errors |= {int(k): f"{column.name} is a date, and holds {shown(texts[codes[k]])}" for k in bad}
            when = pd.Series(values, index=column.index, name=column.name)
        if (when.dt.tz is not None) != aware:
            if when.dt.tz is not None:
                bad = np.flatnonzero(when.notna())
                errors |= dict.fromkeys(
                    bad.tolist(), f"{column.name} has an offset from UTC, and never had one in training"
                )
                when = when.dt.tz_convert(None).where(False)
            else:
                when = when.dt.tz_localize("UTC")
        return when.astype(pd.api.types.pandas_dtype(self.dtype))

    def _pairs(self, column: pd.Series, errors: dict[int, str]) -> pd.Series:
        import pandas as pd

        codes, cells = _codes_of(column)
        texts = [_tidy_text(cell) for cell in cells]
        pairs = [None if not text or text in self.missing else pair_of(text, self.mark) for text in texts]
        found = pd.array(
            [None if each is None else pair_text(*each, self.mark) for each in pairs], dtype="str"
        )
        wrong = [
            bool(text) and text not in self.missing and pair is None
            for text, pair in zip(texts, pairs, strict=True)
        ]
        expected = f"{column.name} is {pair_form(self.mark)}"
        bad = np.flatnonzero(np.array(wrong, dtype=bool)[codes])
        errors |= {int(k): f"{expected}, and holds {shown(texts[codes[k]])}" for k in bad}
        return pd.Series(found.take(codes), index=column.index, name=column.name)

    def _texts(self, column: pd.Series, errors: dict[int, str]) -> pd.Series:
        import pandas as pd

        if is_all_text(column):
            codes, distinct = pd.factorize(column)
            found = pd.array([self._text_of(str(text)) for text in distinct], dtype="str")
            return pd.Series(found.take(codes, allow_fill=True), index=column.index, name=column.name)
        cells = [
            None if pd.api.types.is_scalar(cell) and pd.isna(cell) else self._text_of(cell_text(cell))
            for cell in column
        ]
        return pd.Series(cells, index=column.index, name=column.name, dtype="str")

    def _text_of(self, text: str) -> str | None:
        text = plain_text(text)
        if not text or text in self.missing:
            return None
        return self.code_of(text.lower() if self.ignore_case else text)


def are_zeros_and_ones(column: pd.Series) -> bool:
    """Return whether the cells of a column that hold something are 0 and 1, or true and false, alone."""
    import pandas as pd

    known = column.dropna()
    if not pd.api.types.is_numeric_dtype(known):
        return set(known.unique()) <= {True, False}
    return bool(((known == 0) | (known == 1)).all())


def cell_text(cell: object) -> str:
    """Return the text of a cell; a whole number reads the same whether it is stored as an integer or a float."""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def _tidy_text(cell: Any) -> str:
    """Return the text of a cell without what surrounds its value; empty for a missing one."""
    if isinstance(cell, str):
        return tidy(cell)
    import pandas as pd

    return "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell_text(cell)


def _codes_of(column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Return a column as positions (n,) among some cells: those of text are the distinct ones, and None."""
    import pandas as pd

    if not is_all_text(column):
        return np.arange(len(column)), list(column)
    codes, distinct = pd.factorize(column)
    return codes, [*distinct, None]  # a missing cell has the code -1


def is_all_text(column: pd.Series) -> bool:
    """Return whether each cell that holds something is text."""
    import pandas as pd

    # True and 1 are one value to a hash table, so that only a column of nothing but text goes through one.
    return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")
