"""The rows of a table that a network is trained on: read once, the way of reading fixed, unreadable rows left out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.reading.cells.fit import fit_reading
from layerwise.data.reading.cells.reading import Reading, with_tidy_names
from layerwise.data.reading.cells.row_errors import RowErrors
from layerwise.data.sources import OFFICIAL_TEST

if TYPE_CHECKING:
    import pandas as pd

READING = "reading"
NOTES = "reading_notes"
KEPT = ("source", "sha256", "file_format", OFFICIAL_TEST)
MAX_NAMED = 5
log = logging.getLogger(__name__)


def read_table(raw: pd.DataFrame, problem: Problem, settings: PreprocessingSettings) -> pd.DataFrame:
    """Return the values of a raw table, without the rows that have a cell which cannot be read.

    How each column is read is found over all rows; the table's `attrs` hold it (`reading_of`), and what is to be said
    of it (`reading_notes`), besides `source`, `sha256`, `file_format` and `official_test_rows`.

    Args:
        raw: cells, text or typed; `attrs` may hold the `separator` of the file, the `line_numbers` of its rows and
            `reading_notes` of the file.
        problem: of the table.
        settings: of the preprocessing.

    Raises:
        DataError: a column is ambiguous, or there is no row that can be read.
    """
    cells = with_tidy_names(raw)
    reading = fit_columns_of(cells, problem, settings)
    rows, errors = reading.parse(cells, [name for name in reading.columns if name not in problem.drop])
    said = reading.notes(leave_out=problem.drop)
    for note in said:
        log.info(note)
    notes = [*raw.attrs.get(NOTES, ()), *said]
    lines = cells.attrs.get("line_numbers")
    if errors.bad.any():
        sentence = _left_out(errors, lines)
        log.warning(sentence)
        notes.append(f"{sentence}.")
        if errors.bad.all():
            raise DataError(f"no row can be read: {errors.reasons[0]}")
        rows = rows[~errors.bad].reset_index(drop=True)
    rows.attrs = {key: raw.attrs[key] for key in KEPT if key in raw.attrs}
    if official := raw.attrs.get(OFFICIAL_TEST, 0):
        rows.attrs[OFFICIAL_TEST] = int((~errors.bad[-official:]).sum())
    rows.attrs |= {READING: reading.model_dump_json(), NOTES: notes}
    return rows


def fit_columns_of(cells: pd.DataFrame, problem: Problem, settings: PreprocessingSettings) -> Reading:
    """Return how the columns of a problem's table are read."""
    return fit_reading(
        cells,
        problem.reading,
        classes=problem.targets if problem.task in ("multiclass", "binary") else (),
        drop=problem.drop,
        kinds=dict.fromkeys((name for name in settings.date_columns if name in cells), "date"),
        separator=str(cells.attrs.get("separator", ",")),
    )


def reading_of(frame: pd.DataFrame) -> Reading | None:
    """Return how a table was read by `read_table`, None of any other one."""
    text = frame.attrs.get(READING)
    return None if text is None else Reading.model_validate_json(text)


def _left_out(errors: RowErrors, lines: Sequence[int] | None) -> str:
    bad = np.flatnonzero(errors.bad).tolist()
    named = [
        f"{'row' if lines is None else 'line'} {k if lines is None else lines[k]}: {errors.reasons[k]}"
        for k in bad
    ]
    more = f"; and {len(bad) - MAX_NAMED} more" if len(bad) > MAX_NAMED else ""
    return (
        f"{len(bad)} of {len(errors.reasons)} row(s) cannot be read and are left out: "
        f"{'; '.join(named[:MAX_NAMED])}{more}"
    )
