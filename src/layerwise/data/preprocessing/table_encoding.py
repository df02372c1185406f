"""Encoding of a table's rows for a generator, and back: modes for numbers, one-hot categories (CTGAN)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import (
    PAIR_PARTS,
    ColumnKind,
    as_numbers,
    class_text,
    class_texts,
    days_since_1970,
    feature_name,
    infer_kind,
    join_pair,
    restore_date,
    restore_type,
    to_plain_value,
)
from layerwise.data.preprocessing.encoded_columns import (
    EncodedColumn,
    TableEncoding,
    decode_number,
    encode_number,
    fit_modes,
    part_of_pair,
)
from layerwise.data.preprocessing.many_values import find_roles
from layerwise.data.preprocessing.targets import derive_columns
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.reading.cells import Reading, reading_of
from layerwise.data.splits import Split
from layerwise.utils import derive_seed

if TYPE_CHECKING:
    import pandas as pd

# Whole numbers of at most so many values are categories: years with the bank, numbers of products.
MAX_CATEGORY_VALUES = 15
# A category of more values than this, and than a tenth of the rows, says nothing that could be learnt of any of them.
MAX_LEARNT_VALUES = 50
log = logging.getLogger(__name__)


def fit_encoding(
    frame: pd.DataFrame,
    training: np.ndarray,
    problem: Problem,
    settings: PreprocessingSettings,
    components: int,
    seed: int,
) -> TableEncoding:
    """Fit on the rows at the positions `training`; columns of `problem.drop` are left out, and unlearnable ones.

    Raises:
        DataError: no column is left, or the target cannot be learnt.
    """
    unlearnable = unlearnable_columns(frame, training, problem, settings)
    for name, reason in unlearnable.items():
        log.warning("Column '%s' %s: it is not generated", name, reason)
    problem = problem.without_inputs(tuple(unlearnable))
    whole, kinds = _kinds(frame, problem)
    rows = whole.iloc[training]
    columns: list[EncodedColumn] = []
    target = problem.targets[0] if problem.task in ("binary", "multiclass") and problem.targets else ""
    marks = {name: each.mark for name, each in (reading_of(frame) or Reading()).columns.items()}
    for name, kind in kinds.items():
        if kind == "pair":
            found = _fit_pair(rows[name], marks[name], kinds, settings, components, seed)
        else:
            found = [_fit_column(rows[name], kind, settings, components, seed, name == target)]
        for column in found:
            columns.append(column.model_copy(update={"start": columns[-1].stop if columns else 0}))
    return TableEncoding(columns=tuple(columns), target=target)


def unlearnable_columns(
    frame: pd.DataFrame, training: np.ndarray, problem: Problem, settings: PreprocessingSettings
) -> dict[str, str]:
    """Return the columns of which a generator can learn nothing, each with the reason.

    They are empty, or number or name the rows, or have too many texts to see any of them often.

    Args:
        frame: the table.
        training: positions of the training rows.
        problem: of the table, whose dropped columns are not looked at.
        settings: of the preprocessing, which may call numbers categories.

    Raises:
        DataError: no column is left, or the target is among them.
    """
    whole, kinds = _kinds(frame, problem)
    rows = whole.iloc[training]
    reading = reading_of(frame) or Reading()
    inputs = {name: kind for name, kind in kinds.items() if name not in problem.targets}
    roles = find_roles(rows, inputs, reading, problem, settings)
    found: dict[str, str] = {}
    for name, kind in kinds.items():
        present = rows[name].dropna()
        if len(present) == 0:
            found[name] = "is empty in every training row"
        elif roles.get(name) == "identifier":
            found[name] = "has a value of its own in nearly every row"
        elif kind == "category" and (values := present.nunique()) > max(MAX_LEARNT_VALUES, len(present) / 10):
            found[name] = f"has {values} categories in {len(present)} rows, too many to learn"
    wrong = next((name for name in found if name in problem.targets), None)
    if wrong is not None:
        raise DataError(f"the target '{wrong}' {found[wrong]}")
    if len(found) == len(kinds):
        raise DataError("the table has no column that a generator could learn")
    return found


def _kinds(frame: pd.DataFrame, problem: Problem) -> tuple[pd.DataFrame, Mapping[str, ColumnKind]]:
    """Return the table with its derived columns and without the dropped ones, and what each column holds."""
    reading = reading_of(frame) or Reading()
    whole = derive_columns(frame, problem).drop(columns=list(problem.drop), errors="ignore")
    return whole, {str(name): infer_kind(whole[name], reading.columns.get(str(name))) for name in whole}


def _fit_pair(
    column: pd.Series,
    mark: str,
    taken: Collection[str],
    settings: PreprocessingSettings,
    components: int,
    seed: int,
) -> list[EncodedColumn]:
    """Return the two columns of two numbers in a cell."""
    name, found = str(column.name), []
    for k, part in enumerate(PAIR_PARTS):
        numbers = part_of_pair(column, k, feature_name(name, part, taken))
        fitted = _fit_column(numbers, "number", settings, components, seed, False)
        found.append(fitted.model_copy(update={"pair": name, "part": k, "mark": mark}))
    return found


def _fit_column(
    column: pd.Series,
    kind: str,
    settings: PreprocessingSettings,
    components: int,
    seed: int,
    is_target: bool,
) -> EncodedColumn:
    name = str(column.name)
    if name in settings.date_columns:
        kind = "date"
    common: dict[str, Any] = {"name": name, "dtype": str(column.dtype), "start": 0}
    present = column.dropna()
    if (
        is_target
        or name in settings.categorical_columns
        or kind in ("category", "boolean")
        or _has_few_values(column, kind)
    ):
        values = sorted(present.unique().tolist(), key=lambda v: (isinstance(v, str), v))
        texts = [class_text(value) for value in values]
        if column.isna().any():
            texts, values = [*texts, ""], [*values, None]
        return EncodedColumn(
            **common, categories=tuple(texts), values=tuple(to_plain_value(v) for v in values)
        )
    numbers, whole = _numbers(column, kind == "date")
    modes = fit_modes(numbers, components, derive_seed(seed, "modes", name))
    return EncodedColumn(**common, modes=modes, date=kind == "date", whole_days=whole)


def _has_few_values(column: pd.Series, kind: str) -> bool:
    if kind != "number" or column.nunique() > MAX_CATEGORY_VALUES:
        return False
    numbers = as_numbers(column.dropna())
    return bool(np.all(numbers % 1 == 0)) or len(np.unique(numbers)) < 3


def _numbers(column: pd.Series, date: bool) -> tuple[np.ndarray, bool]:
    """Return numbers, or days since 1970, and whether all days are whole."""
    if not date:
        return as_numbers(column), False
    days = days_since_1970(column)
    known = days[~np.isnan(days)]
    return days, bool(np.all(known % 1 == 0))


def known_rows(frame: pd.DataFrame, encoding: TableEncoding) -> np.ndarray:
    """Return the positions of rows without unknown categories, and without empty cells in columns that had none."""
    known = np.ones(len(frame), dtype=bool)
    for column in encoding.columns:
        cells = column.cells(frame)
        if column.modes is None:
            known &= _texts(cells).isin(column.categories).to_numpy()
        elif not column.modes.empty:
            known &= cells.notna().to_numpy()
    return np.flatnonzero(known)


def _texts(cells: pd.Series) -> pd.Series:
    return class_texts(cells).fillna("").astype(str)


def encode(frame: pd.DataFrame, encoding: TableEncoding, seed: int) -> np.ndarray:
    """Return (n, width) float32; the mode of a number is drawn from its posterior, by the seed.

    Raises:
        DataError: a cell holds a category that no training row has.
    """
    matrix = np.zeros((len(frame), encoding.width), dtype=np.float32)
    lines = np.arange(len(frame))
    for column in encoding.columns:
        cells = column.cells(frame)
        if column.modes is None:
            codes = {text: k for k, text in enumerate(column.categories)}
            texts = _texts(cells).tolist()
            unknown = sorted(set(texts) - set(codes))
            if unknown:
                raise DataError(f"column '{column.name}' holds '{unknown[0]}', which no training row does")
            matrix[lines, column.start + np.array([codes[text] for text in texts], dtype=int)] = 1
            continue
        numbers, _ = _numbers(cells, column.date)
        rng = np.random.default_rng(derive_seed(seed, "encode", column.name))
        normalized, mode = encode_number(numbers, column.modes, rng)
        matrix[:, column.start] = normalized
        matrix[lines, column.start + 1 + mode] = 1
    return matrix


def encode_parts(
    raw: pd.DataFrame,
    split: Split,
    problem: Problem,
    settings: PreprocessingSettings,
    components: int,
    seed: int,
) -> tuple[TableEncoding, np.ndarray, np.ndarray]:
    """Fit on the training rows, and encode them and the validation rows whose categories they have.

    Returns:
        The encoding, and (n, width) float32 of either part.

    Raises:
        DataError: no validation row has categories of training rows alone.
    """
    frame = derive_columns(raw, problem)
    encoding = fit_encoding(frame, split.training, problem, settings, components, seed)
    validation = frame.iloc[split.validation]
    known = validation.iloc[known_rows(validation, encoding)]
    if known.empty:
        raise DataError(
            f"each of the {len(validation)} validation rows has a category that no training row has, so that "
            "drawn rows cannot be compared with them: drop columns of many categories, or give more rows"
        )
    training = encode(frame.iloc[split.training], encoding, seed)
    return encoding, training, encode(known, encoding, seed)


def decode(matrix: np.ndarray, encoding: TableEncoding) -> pd.DataFrame:
    """Return rows in the original columns and types; each category is the one of the largest entry."""
    import pandas as pd

    restored: dict[str, Any] = {}
    for column in encoding.columns:
        cells = _decode_column(np.asarray(matrix[:, column.start : column.stop], dtype=np.float64), column)
        if column.pair and column.part:
            cells = join_pair(restored[column.pair], cells.astype("float64"), column.mark)
        elif column.pair:
            cells = cells.astype("float64")
        restored[column.raw_name] = cells
    return pd.DataFrame(restored)


def _decode_column(part: np.ndarray, column: EncodedColumn) -> pd.Series:
    import pandas as pd

    if column.modes is None:
        return _typed(np.array(column.values, dtype=object)[part.argmax(1)], column.dtype)
    numbers = decode_number(part[:, 0], part[:, 1:].argmax(1), column.modes)
    if not column.date:
        return _typed(numbers, column.dtype)
    dates = restore_date(np.nan_to_num(numbers), column.dtype, column.whole_days)
    return dates.where(pd.Series(~np.isnan(numbers)), None)


def _typed(cells: np.ndarray, dtype: str) -> pd.Series:
    import pandas as pd

    if pd.isna(cells).any():
        kind = "float64" if dtype.startswith(("int", "uint")) else dtype
        return pd.Series(cells).astype(pd.api.types.pandas_dtype(kind))
    return restore_type(cells, dtype)
