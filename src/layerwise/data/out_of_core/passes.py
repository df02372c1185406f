"""The passes over a table that is larger than the memory: a sample of its rows, and the part that each row belongs to.

A column's reading, its median, its quantiles and its categories need all rows at once. They are those of a uniform
sample, which has all rows where there are no more than asked for: then everything is as it is in memory, to the bit.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from layerwise.data.errors import DataError
from layerwise.data.preprocessing import Preprocessor, fit_preprocessor
from layerwise.data.problem import PreprocessingSettings, Problem, SplitSettings
from layerwise.data.reading import TableBlocks
from layerwise.data.reading.cells import Reading, read_table, reading_of
from layerwise.data.row_hashes import TEST, TRAINING, VALIDATION, hashed_parts
from layerwise.data.splits import Split, hashed_columns, split_seed
from layerwise.utils import numpy_rng

log = logging.getLogger(__name__)

# Of rows that cannot be read, or have no label: beside TRAINING, VALIDATION and TEST.
LEFT_OUT = 3
PART = "part"
PART_NAMES = {TRAINING: "training", VALIDATION: "validation", TEST: "test"}


def sample_rows(
    blocks: TableBlocks, problem: Problem, settings: PreprocessingSettings, at_most: int, seed: int
) -> pd.DataFrame:
    """Return a uniform sample of a table's rows in their order, read as `read_table` reads a table in memory.

    Each row is taken by a draw of its own, so that their number is `at_most` but for chance (a standard deviation of
    its root at most); all rows are taken where they are no more.

    Args:
        blocks: the table.
        problem: of the table.
        settings: of the preprocessing.
        at_most: rows of the sample.
        seed: of the run.

    Raises:
        DataError: the table has no rows, or a column is ambiguous.
    """
    rate, rng = at_most / max(1, blocks.n_rows), numpy_rng(seed, "sampled rows")
    notes: list[str] = []
    taken = [
        block if rate >= 1 else block[rng.random(len(block)) < rate].copy() for block in blocks.blocks(notes)
    ]
    if not sum(map(len, taken)):
        raise DataError(f"{blocks.path} has no rows")
    raw = pd.concat(taken, ignore_index=True)
    del taken
    if rate < 1:
        notes.append(
            f"The table was not in memory as a whole: medians, scales, categories and quantiles are those of a uniform "
            f"sample of {len(raw):,} of its {blocks.n_rows:,} rows, and so are leaks, repeated rows, baselines, "
            "importance and figures"
        )
    for note in notes:
        log.info(note)
    sentences = [f"{note.rstrip('.')}." for note in dict.fromkeys(notes)]
    raw.attrs.update(**blocks.attributes(), reading_notes=sentences)
    return read_table(raw, problem, settings)


def divide_rows(
    blocks: TableBlocks, sample: pd.DataFrame, problem: Problem, settings: SplitSettings, seed: int
) -> pd.DataFrame:
    """Return the part of each row of a table, one column `part` of uint8: a byte a row is what stays in memory.

    It is that of `split.method: hash`; LEFT_OUT of a row that cannot be read, or that has no label where the problem
    has a target.

    Args:
        blocks: the table.
        sample: some rows of it, as `sample_rows` returns them: they say how each column is read.
        problem: of the table.
        settings: of the split.
        seed: of the run.

    Raises:
        DataError: a part has no row.
    """
    reading, own_seed = reading_of(sample), split_seed(settings, seed)
    assert reading is not None
    parts = np.concatenate(
        [_parts_of(block, reading, problem, settings, own_seed) for block in blocks.blocks()]
    )
    counts = np.bincount(parts, minlength=LEFT_OUT + 1)
    for part, name in PART_NAMES.items():
        if not counts[part]:
            raise DataError(f"split.method: hash leaves no {name} row of {len(parts):,} rows")
    if counts[LEFT_OUT]:
        log.warning(
            "%s of %s row(s) cannot be read or have no label, and are left out",
            f"{counts[LEFT_OUT]:,}",
            f"{len(parts):,}",
        )
    return pd.DataFrame({PART: parts})


def _parts_of(
    block: pd.DataFrame, reading: Reading, problem: Problem, settings: SplitSettings, seed: int
) -> np.ndarray:
    rows, errors = reading.parse(block, [name for name in reading.columns if name not in problem.drop])
    found = hashed_parts(rows, hashed_columns(rows, problem, settings), settings, seed)
    found[errors.bad] = LEFT_OUT
    there = [name for name in problem.targets if name in rows]
    if there:
        found[rows[there].isna().to_numpy().any(1)] = LEFT_OUT
    return found


def fit_on_sample(
    sample: pd.DataFrame,
    split: Split,
    parts: pd.DataFrame,
    problem: Problem,
    settings: PreprocessingSettings,
    seed: int,
) -> Preprocessor:
    """Return the preprocessor of a sample, whose data spec counts the rows of the whole table.

    Args:
        sample: as `sample_rows` returns it.
        split: of the sample.
        parts: of all rows, as `divide_rows` returns them.
        problem: of the table.
        settings: of the preprocessing.
        seed: of the run.

    Raises:
        DataError: a column is encoded by its target, for which each training row needs all others.
    """
    found = fit_preprocessor(sample, split, problem, settings, seed)
    if coded := list(found.state["coded"]):
        raise DataError(
            f"column '{coded[0]}' has many values, and their mean targets need all rows in memory: set "
            "preprocessing.many_values: frequent"
        )
    counts = np.bincount(parts[PART].to_numpy(), minlength=LEFT_OUT + 1)
    spec = found.state["data_spec"]
    spec |= {f"n_{name}": int(counts[part]) for part, name in PART_NAMES.items()}
    if counts[LEFT_OUT]:
        spec["notes"].append(
            f"{counts[LEFT_OUT]} of {len(parts)} rows cannot be read or have no label: they are left out."
        )
    return type(found)(found.state)  # type: ignore[call-arg]
