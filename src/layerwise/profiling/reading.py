"""The reading of a new table: whatever is ambiguous is settled by its likeliest reading, which is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.data import DataError, ReadingSettings
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
from layerwise.data.reading.cells import Reading, fit_reading
from layerwise.profiling.proposal import Choice

if TYPE_CHECKING:
    import pandas as pd

MAX_SETTLED, MAX_REASON = 60, 300


@dataclass
class SettledTable:
    """A table that could be read.

    Args:
        frame: the values of the rows that can be read.
        reading: how each column is read.
        table: the cells.
        choices: the settings that were needed, with the reason of each.
        notes: what else was found on the way.
        unreadable: columns that no setting makes readable.
    """

    frame: pd.DataFrame
    reading: Reading
    table: TextTable
    choices: list[Choice]
    notes: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

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
        new = [_add(settings, choices, each) for each in _spellings(reading)]
        if any(new):
            continue
        frame, errors = reading.parse(table.cells, [n for n in reading.columns if n not in unreadable])
        right = errors.reasons == ""
        notes = [*file_format.notes, *whole.notes, *dropped, *reading.notes()]
        notes += _unreadable_rows(table, errors.reasons)
        return SettledTable(
            frame[right].reset_index(drop=True),
            reading,
            table,
            list(choices.values()),
            notes,
            unreadable,
        )
    raise DataError(f"{path} needs more than {MAX_SETTLED} settings to be read as a table")


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
