"""The reading of a new table: whatever is ambiguous is settled by its likeliest reading, which is said."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.data import DataError, ReadingSettings
from layerwise.data.preprocessing import is_named_as_id
from layerwise.data.reading import (
    FileFormat,
    SuggestedSetting,
    TextTable,
    UnreadableError,
    read_text_table,
    resolve_file_format,
    without_malformed,
    yaml_line,
)
from layerwise.data.reading.cells import (
    NULL_WORDS,
    Reading,
    RowErrors,
    cell_text,
    fit_reading,
    plain_text,
    trim,
)
from layerwise.data.reading.pairs import find_pairs
from layerwise.profiling.columns import format_of_numbers, is_named_as_date, markers_of_numbers
from layerwise.profiling.proposal import Choice
from layerwise.profiling.targets import null_classes

if TYPE_CHECKING:
    import pandas as pd

MAX_SETTLED, MAX_REASON = 60, 300
# Settings that are of columns, by their names.
BY_COLUMN = ("dates", "columns", "percent", "missing_in")
DASHES = "-–"


@dataclass
class SettledTable:
    """A table that could be read.

    Args:
        frame: the values of the rows that can be read.
        reading: how each column is read.
        table: the cells.
        choices: the settings that were needed, with the reason of each.
        unreadable: columns that no setting makes readable.
        asked: columns that a setting was asked for.
        notes_of_file: what else was found on the way, of no column.
        errors: why rows cannot be read.
        separator: of the file.
    """

    frame: pd.DataFrame
    reading: Reading
    table: TextTable
    choices: list[Choice]
    unreadable: list[str] = field(default_factory=list)
    asked: frozenset[str] = frozenset()
    notes_of_file: list[str] = field(default_factory=list)
    errors: RowErrors = field(default_factory=lambda: RowErrors(0))
    separator: str = ","

    @property
    def notes(self) -> list[str]:
        """What else was found on the way, a sentence each."""
        return [
            *self.notes_of_file,
            *self.reading.notes(),
            *_unreadable_rows(self.table, self.errors.reasons),
        ]

    @property
    def said(self) -> list[str]:
        """A line for each setting that was needed: what it is, why, and the runner-up."""
        found = []
        for key, value, reason, other, _ in self.choices:
            line = yaml_line({key: value})[1:-1]
            why = (
                reason
                if len(reason) <= MAX_REASON
                else f"{reason[:MAX_REASON]} ... (all of it: parameters.yml)"
            )
            found.append(f"{line}, as {why}" + (f"; else {other}" if other else ""))
        return found


def settle_reading(path: Path, classes: tuple[str, ...] = ()) -> SettledTable:
    """Return a table with the settings that its reading needs.

    Args:
        path: the file.
        classes: columns of class names.

    Raises:
        DataError: there is no such file, or no setting makes a table of it.
    """
    settings: dict[str, Any] = {}
    choices: dict[str, Choice] = {}
    unreadable: list[str] = []
    asked: set[str] = set()
    known: FileFormat | None = None
    for _ in range(MAX_SETTLED):
        given = ReadingSettings.model_validate(settings)
        try:
            file_format = resolve_file_format(path, given)
            if file_format != known:  # most settings are of columns, and leave the cells as they are
                whole, known = read_text_table(path, file_format), file_format
            table, dropped = without_malformed(whole, given)
            classes_there = [name for name in classes if name in table.cells]
            reading = fit_reading(
                table.cells, given, classes_there, unreadable, separator=file_format.separator
            )
        except UnreadableError as error:
            asked |= set(error.columns)
            found = [
                each._replace(reason=each.reason.replace(str(path), path.name)) for each in error.suggestions
            ]
            new = [_add(settings, choices, each) for each in found]
            if not any(new):
                blamed = [name for name in error.columns if name not in unreadable]
                if not blamed:
                    raise
                unreadable += blamed
            continue
        found = [
            *_spellings(reading),
            *_pairs(reading, table.cells, classes_there),
            *_numbers_as_dates(reading, table.cells, classes_there),
            *null_classes(reading.settings, table.cells, classes_there),
            *markers_of_numbers(reading),
        ]
        new = [_add(settings, choices, each) for each in found]
        if any(new):
            asked |= {name for each in found for name in each.value}
            continue
        frame, errors = reading.parse(table.cells, [n for n in reading.columns if n not in unreadable])
        return SettledTable(
            frame[errors.reasons == ""].reset_index(drop=True),
            reading,
            table,
            list(choices.values()),
            unreadable=unreadable,
            asked=frozenset(asked),
            notes_of_file=[*file_format.notes, *whole.notes, *dropped],
            errors=errors,
            separator=file_format.separator,
        )
    raise DataError(f"{path} needs more than {MAX_SETTLED} settings to be read as a table")


def settle_again(path: Path, settled: SettledTable, name: str, *, are_classes: bool) -> SettledTable:
    """Return a settled table with one column read anew: as names of classes, or as its cells say.

    All other columns stay as they are read where nothing that is said of the table hangs on that one; else the table
    is settled anew.

    Args:
        path: the file.
        settled: of it.
        name: of the column.
        are_classes: whether it holds the names of classes.
    """
    before = settled.reading.columns[name]
    given = _of_one_column(settled.reading.settings, name)
    if name in settled.asked or settled.errors.cells.get(name):
        return settle_reading(path, (name,) if are_classes else ())
    cells = settled.table.cells
    column = cells[[each for each in cells if trim(str(each)) == name]].set_axis([name], axis=1)
    try:
        one = fit_reading(column, given, [name] if are_classes else (), separator=settled.separator)
    except UnreadableError:
        return settle_reading(path, (name,) if are_classes else ())
    after = one.columns[name]
    values, errors = one.parse(column)
    # What its decimal mark is says what those of other columns may be.
    is_number_once = (before.kind == "number") != (after.kind == "number")
    hang_together = is_number_once and column[name].astype(str).str.contains(r"[.,]").any()
    null = null_classes(given, column, [name] if are_classes else ())
    if errors.bad.any() or after.spellings or null or hang_together or before.number != after.number:
        return settle_reading(path, (name,) if are_classes else ())
    right = settled.errors.reasons == ""
    return replace(
        settled,
        frame=settled.frame.assign(**{name: values[name][right].reset_index(drop=True)}),
        reading=settled.reading.model_copy(update={"columns": {**settled.reading.columns, name: after}}),
    )


def _of_one_column(settings: ReadingSettings, name: str) -> ReadingSettings:
    """Return settings without what they say of other columns."""
    named = {key: {n: v for n, v in getattr(settings, key).items() if n == name} for key in BY_COLUMN}
    ignore_case = tuple(each for each in settings.ignore_case if each == name)
    return settings.model_copy(update={**named, "ignore_case": ignore_case})


def _spellings(reading: Reading) -> list[SuggestedSetting]:
    """Return the setting for each column whose words differ in capitals alone, which rarely means anything."""
    return [
        SuggestedSetting(
            "ignore_case",
            [name],
            f"column '{name}': {', '.join(map(repr, column.spellings[:6]))} are read in small letters",
            "no such line, if they are different values",
        )
        for name, column in reading.columns.items()
        if column.spellings
    ]


def _pairs(reading: Reading, cells: pd.DataFrame, classes: Collection[str]) -> list[SuggestedSetting]:
    """Return the setting for each column whose cells are two numbers each, which say little as words."""
    found = []
    for name in cells:
        column = trim(str(name))
        how = reading.columns[column]
        if (
            how.kind != "category"
            or column in (*classes, *reading.settings.columns)
            or is_named_as_id(column)
        ):
            continue
        texts = cells[name].dropna().astype(str).map(plain_text)
        texts = texts[~texts.isin(["", *NULL_WORDS, *how.missing])]
        distinct = texts.drop_duplicates().tolist()
        mark, words = find_pairs(distinct)
        # Numbers with a dash that never come again are rather those of orders or telephones.
        if not mark or (mark in DASHES and len(distinct) == len(texts)):
            continue
        shown = next(text for text in distinct if text not in words)
        reason = f"column '{column}': each of its cells holds two numbers ({shown}), which are two inputs"
        found.append(SuggestedSetting("columns", {column: "pair"}, reason, yaml_line({column: "category"})))
        if words:
            count = int(texts.isin(words).sum())
            reason = (
                f"column '{column}' has two numbers in each cell but for {count} that hold {', '.join(words)}"
            )
            missing = [*words, *(reading.settings.missing or NULL_WORDS[:2])]
            found.append(SuggestedSetting("missing", missing, reason))
    return found


def _numbers_as_dates(
    reading: Reading, cells: pd.DataFrame, classes: Collection[str]
) -> list[SuggestedSetting]:
    """Return the setting for each column that is called a date and holds numbers that can be nothing else."""
    found = []
    for name in cells:
        column = trim(str(name))
        how = reading.columns[column]
        if how.kind not in ("number", "category") or column in (*classes, *reading.settings.columns):
            continue
        if not is_named_as_date(column):
            continue
        texts = sorted({plain_text(cell_text(cell)) for cell in cells[name].dropna()} - {"", *how.missing})
        date_format, what = format_of_numbers(texts)
        if date_format:
            reason = f"column '{column}': {texts[0]} is {what} in a column of that name"
            other = f"columns: {yaml_line({column: 'number'})}"
            found.append(SuggestedSetting("dates", {column: [date_format]}, reason, other))
    return found


def _add(settings: dict[str, Any], choices: dict[str, Choice], suggested: SuggestedSetting) -> bool:
    """Add a setting to those that there are; return whether it says something new."""
    key, value, reason, other = suggested
    before = settings.get(key)
    if isinstance(value, dict):
        value = {**(before or {}), **value}
    elif isinstance(value, list):
        value = list(dict.fromkeys([*(before or []), *value]))
    elif before is not None:
        return False  # the first column has said it for the whole file
    if value == before:
        return False
    settings[key] = value
    earlier = choices.get(key)
    reasons = "; ".join(filter(None, [earlier.reason if earlier else "", reason]))
    others = " or ".join(filter(None, [earlier.other if earlier else "", other]))
    choices[key] = Choice(f"problem.reading.{key}", value, reasons, others)
    return True


def _unreadable_rows(table: TextTable, reasons: Any) -> list[str]:
    bad = [k for k, reason in enumerate(reasons) if reason]
    if not bad:
        return []
    first = bad[0]
    return [
        f"{len(bad)} row(s) are left out, the first in line {table.line_numbers[first]}: {reasons[first]}."
    ]
