"""What one column holds, found over all its rows: formats only, no statistics of values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.reading.cells.affixes import currencies_of, tidy
from layerwise.data.reading.cells.column_base import (
    FALSE_WORDS,
    TRUE_WORDS,
    ColumnBase,
    words_of,
)
from layerwise.data.reading.cells.columns import ColumnReading, are_zeros_and_ones
from layerwise.data.reading.cells.dates import (
    FoundDates,
    find_date_formats,
    is_aware,
    iso_datetimes,
    parse_dates,
)
from layerwise.data.reading.cells.durations import unit_of_duration
from layerwise.data.reading.cells.faults import Cells, far_dates, may_be_markers
from layerwise.data.reading.cells.numbers import (
    PLAIN,
    FoundFormat,
    NumberFormat,
    find_degrees,
    find_durations,
    find_number_format,
    needs_text,
)
from layerwise.data.reading.suggestions import quoted, yaml_line

DIGITS = frozenset(("0", "1", "0.0", "1.0"))
MAX_CODES = 50
EXACT_WHOLE = 2**53


class PointOrThousandsError(DataError):
    """All numbers have three digits after a point, or a comma: the other columns of the file say what that is."""


class ColumnFitter(ColumnBase):
    """Finds the reading of one column."""

    def fit(self, point: bool | None = None) -> ColumnReading:
        """Return the reading.

        Args:
            point: whether 1.234 has a decimal point, where the whole column is like that, or 1,234; None raises.

        Raises:
            DataError: the column is ambiguous, or holds many cells that are not of its kind.
        """
        typed = self._typed()
        if typed is not None:
            return typed
        cells, stated = self.cells(), self.stated
        filled = cells.without(self.null_words)
        if stated in ("category", "text"):
            return self.text(cells, stated)
        if self.classes:
            return self._class_names(filled)
        if stated == "date":
            return self._stated_dates(filled)
        if stated == "pair":
            return self.pairs(filled)
        boolean = self._boolean(filled) if stated in (None, "boolean") else None
        if boolean is not None:
            return boolean
        if stated == "boolean":
            self.refuse(f"is stated to be a boolean, and holds {_examples(filled.texts)}")
        if stated is None and needs_text(filled.texts) and self._are_codes(filled):
            return self.text(cells, "category")
        numbers = self._find_numbers(filled)
        self.refuse_mixed_percents(filled, numbers)
        if numbers is not None and (stated == "number" or filled.fraction(numbers.readable) > 0.5):
            return self._numbers(filled, numbers, point)
        if stated == "number":
            self.refuse(f"is stated to be a number, and holds {_examples(filled.texts)}")
        dates = find_date_formats([tidy(text) for text in filled.texts], filled.counts)
        if dates is not None and filled.fraction(dates.looks_like) > 0.5:
            return self._dates(filled, dates)
        self.note_words(filled)
        return self.text(cells, "category")

    def _typed(self) -> ColumnReading | None:
        """Return the reading of a column that is no text, None of one that is."""
        import pandas as pd

        column = self.column
        if isinstance(column.dtype, pd.CategoricalDtype):
            return self.words(self.cells(), "category", text=False)
        if pd.api.types.is_datetime64_any_dtype(column):
            aware = column.dt.tz is not None
            dtype = "datetime64[us, UTC]" if aware else "datetime64[us]"
            formats = (*(() if aware else ("%Y-%m-%d",)), *iso_datetimes(aware, " T"))
            return ColumnReading(kind="date", dtype=dtype, missing=self.null_words, dates=formats, text=False)
        if pd.api.types.is_bool_dtype(column) and not self.stated and not self.classes:
            words = ("False", "True")
            return self._boolean_reading(
                "float64" if column.isna().any() else "bool", text=False, words=words
            )
        number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if number and self.stated in (None, "number", "boolean"):
            whole = pd.api.types.is_integer_dtype(column) and not column.isna().any()
            dtype = "int64" if whole else "float64"
            if not self.classes and are_zeros_and_ones(column):
                return self._boolean_reading(dtype, text=False)
            known = column.dropna().to_numpy(dtype=np.float64)
            if may_be_markers(known).any():
                self.note_sentinels(*np.unique(known[np.isfinite(known)], return_counts=True))
            # Whole numbers with gaps come as floats.
            whole = whole or bool(column.isna().any() and (known % 1 == 0).all())
            return ColumnReading(
                kind="number", dtype=dtype, missing=self.null_words, text=False, whole=whole, **self.said()
            )
        return None

    def _boolean_reading(
        self, dtype: str, text: bool = True, words: tuple[str, str] | None = None
    ) -> ColumnReading:
        true, false = self.settings.true_words, self.settings.false_words
        return ColumnReading(
            kind="boolean",
            dtype=dtype,
            true_words=_lower(true) if true is not None else sum(TRUE_WORDS, ()),
            false_words=_lower(false) if false is not None else sum(FALSE_WORDS, ()),
            missing=self.null_words,
            text=text,
            words=words,
            **self.said(),
        )

    def _boolean(self, cells: Cells) -> ColumnReading | None:
        """Return the reading of a column of true and false words, or of 1 and 0 alone; None for another one."""
        words = {text.lower() for text in cells.texts}
        letters, gaps = words - DIGITS, self.has_gaps(cells)
        true, false = self.settings.true_words, self.settings.false_words
        if true is not None or false is not None:
            known = [{*_lower(true or ()), *_lower(false or ())}]
        else:
            known = [{*yes, *no} for yes, no in zip(TRUE_WORDS, FALSE_WORDS, strict=True)]
        if not words or not self.are_boolean(letters, known):
            return None
        if len(words) == 1 and all(len(word) == 1 for word in letters) and letters:
            return None  # one letter throughout
        if not letters:
            return self._boolean_reading("int64" if words <= {"0", "1"} and not gaps else "float64")
        spelled = sorted(set(cells.texts) - DIGITS)
        if len(cells.texts) > 2:
            self.notes.append(f"{', '.join(spelled)} are read as true and false")
        found = self._boolean_reading("float64" if gaps else "bool")
        return found.model_copy(update={"words": words_of(cells, found)})

    def _class_names(self, cells: Cells) -> ColumnReading:
        """Return the reading of class names: plain numbers, or text as it stands."""
        if cells.texts and all(PLAIN.fullmatch(text) for text in cells.texts) and not needs_text(cells.texts):
            whole = all(text.lstrip("+-").isdigit() for text in cells.texts) and not self.has_gaps(cells)
            return ColumnReading(
                kind="number", dtype="int64" if whole else "float64", missing=self.null_words
            )
        return self.words(cells, "category")

    def _are_codes(self, cells: Cells) -> bool:
        few = len(cells.texts) <= max(MAX_CODES, cells.counts.sum() / 10)
        return few or len({len(text) for text in cells.texts}) == 1

    def _find_numbers(self, cells: Cells) -> FoundFormat | None:
        settings, unsigned = self.settings, self.settings.percent.get(self.name)
        found = find_number_format(cells.texts, settings.decimal, settings.thousands, unsigned)
        if found is None or cells.fraction(found.readable) <= 0.5:
            durations = find_durations(cells.texts)
            if durations is not None and cells.fraction(durations.readable) > 0.5:
                return durations
            degrees = find_degrees(cells.texts)
            if cells.fraction(degrees.readable) > 0.5:
                return degrees
        if settings.decimal is not None and (
            found is None or cells.fraction(found.readable) <= 0.5
        ):  # a column of 0.5 in a file of decimal commas: its point can be nothing else
            free = find_number_format(cells.texts, unsigned=unsigned)
            return free if free is not None and free.other is None and free.readable.all() else found
        return found

    def _numbers(self, cells: Cells, found: FoundFormat, point: bool | None) -> ColumnReading:
        if found.other is not None:
            self._decide_point(cells, found, point)
        self.refuse_faults(cells, found.readable, "numeric")
        values, right = found.format.values_of(cells.texts)
        finite = right & np.isfinite(values)
        texts = [text for text, each in zip(cells.texts, right, strict=True) if each]
        whole = all(text.lstrip("+-").isdigit() for text in texts)
        if whole and np.abs(values[finite]).max(initial=0) > EXACT_WHOLE:
            self.notes.append("its whole numbers have more digits than a float holds: it is read as text")
            return self.text(cells, "category")
        if found.format != NumberFormat() and texts:
            shown = next((text for text in texts if not PLAIN.fullmatch(text)), texts[0])
            note = f"read as numbers: '{shown}' is {found.format.value_of(shown):.12g}"
            if (clock := found.format.clock) is not None:
                note += f" {unit_of_duration(tidy(shown), clock)}"
            if clock is not None or found.format.bounds:
                note += f"; {yaml_line({'columns': {self.name: 'category'}})[1:-1]} keeps them as names"
            if found.format.unsigned and (bare := next((text for text in texts if "%" not in text), "")):
                note += f", and '{bare}', which has no sign, {found.format.value_of(bare):.12g}"
            self.notes.append(note)
        if len(several := currencies_of(found.format.symbols)) > 1:
            self.notes.append(
                f"its amounts are of several currencies ({', '.join(several)}), and none is converted"
            )
        self.note_sentinels(values[finite], cells.counts[finite])
        return ColumnReading(
            kind="number",
            dtype="int64" if whole and not self.has_gaps(cells) and right.all() else "float64",
            number=found.format,
            missing=self.null_words,
            whole=whole and found.format.clock is None,
            **self.said(),
        )

    def _decide_point(self, cells: Cells, found: FoundFormat, point: bool | None) -> None:
        """Raise for numbers with two readings, unless the other columns of the file settle what their mark is."""
        assert found.other is not None
        plain = not any("," in text for text in cells.texts)
        if point is None:
            raise PointOrThousandsError(self.name)
        if not (plain and point):
            value, other = (each.value_of(found.example) for each in (found.format, found.other))
            mark, other_mark = found.format.decimal, found.other.decimal
            self.ask(
                f"has two readings over all rows: '{found.example}' is {value:.12g} with the decimal mark '{mark}' and "
                f"{other:.12g} with '{other_mark}'",
                "decimal",
                mark,
                other=yaml_line(other_mark),
            )

    def _stated_dates(self, cells: Cells) -> ColumnReading:
        formats = self.settings.dates.get(self.name)
        if formats is not None:
            return self._date_reading(cells, formats)
        found = find_date_formats([tidy(text) for text in cells.texts], cells.counts, compact=True)
        if found is None:
            self.refuse(f"is stated to be a date, and holds {_examples(cells.texts)}")
        return self._dates(cells, found)

    def _dates(self, cells: Cells, found: FoundDates) -> ColumnReading:
        formats = {self.name: list(found.formats)}
        if found.both_orders is not None:
            day, month = found.both_orders
            self.ask(
                f"holds dates in two orders: '{day}' begins with the day and '{month}' with the month",
                "dates",
                formats,
                instead="correct them",
                remark="rows of the other order are then left out",
            )
        if found.other:
            self.ask(
                f"has two readings over all rows: '{found.example}' may begin with the day or with the month",
                "dates",
                formats,
                other=yaml_line(list(found.other)),
            )
        self.refuse_faults(cells, found.looks_like, "a date")
        return self._date_reading(cells, found.formats)

    def _date_reading(self, cells: Cells, formats: Sequence[str]) -> ColumnReading:
        aware = {is_aware(each) for each in formats}
        if len(aware) > 1:
            self.refuse(
                f"holds times with an offset from UTC and times without ({quoted(formats)}), which cannot be "
                "compared; write them alike, or add the column to problem.drop"
            )
        texts = [tidy(text) for text in cells.texts]
        clock = f", in {self.settings.timezone} (problem.reading.timezone)" if True in aware else ""
        self.notes.append(f"read as dates: {quoted(formats)}{clock}")
        self.notes += [
            f"'{texts[k]}' (row {self.row_of(cells.texts[k])}) lies far from all other dates; it is kept as a date"
            for k in far_dates(parse_dates(texts, formats))[:3]
        ]
        return ColumnReading(
            kind="date",
            dtype="datetime64[us, UTC]" if aware == {True} else "datetime64[us]",
            dates=tuple(formats),
            missing=self.null_words,
            **self.said(),
        )


def _examples(texts: Sequence[str]) -> str:
    return ", ".join(repr(text[:30]) for text in texts[:3]) or "nothing"


def _lower(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.lower() for word in words)
