"""What a table's preprocessor learns from the training rows: of the columns, of the target, of all together."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import (
    ColumnKind,
    as_numbers,
    class_names,
    class_text,
    fill_text,
    has_whole_days,
    infer_kind,
    scaled_numbers,
    to_plain_value,
    validate_no_missing,
)
from layerwise.data.preprocessing.many_values import find_roles, fit_many_values, say_roles, with_frequent
from layerwise.data.preprocessing.targets import (
    binary_classes,
    derive_columns,
    robust_location,
    target_numbers,
)
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.reading.cells import Reading, fit_columns_of, fit_reading, reading_of
from layerwise.data.splits import Split
from layerwise.data.target_transforms import TargetTransform
from layerwise.data.transforms import CategoryEncoder, NumberScaler

if TYPE_CHECKING:
    import pandas as pd

MOST_QUANTILES = 1000
# Most columns that vary do so among these.
FIRST_ROWS = 100
log = logging.getLogger(__name__)


def without_constants(inputs: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the columns that vary, and the values of the others; a DataError if none is left."""
    few = inputs.head(FIRST_ROWS)
    constants = {
        str(name): to_plain_value(inputs[name].iloc[0])
        for name in inputs
        if few[name].nunique(dropna=False) < 2 and inputs[name].nunique(dropna=False) < 2
    }
    if constants:
        warnings.warn(f"constant among the training rows, left out: {', '.join(constants)}", stacklevel=3)
    inputs = inputs.drop(columns=list(constants))
    if inputs.shape[1] == 0:
        raise DataError("no input column is left after problem.drop and constant columns")
    return inputs, constants


def fit_scaler(scaling: Literal["standard", "minmax", "quantile"], values: np.ndarray) -> Any:
    """Return the scaler of number columns; quantiles are those of at most 1,000 rows apart."""
    if scaling != "quantile":
        return NumberScaler.fit(scaling, values)
    from sklearn.preprocessing import QuantileTransformer

    n_quantiles = min(MOST_QUANTILES, len(values))
    return QuantileTransformer(n_quantiles=n_quantiles, output_distribution="normal", subsample=None).fit(
        values
    )


def find_kinds(
    frame: pd.DataFrame, names: Sequence[str], settings: PreprocessingSettings, reading: Reading
) -> dict[str, ColumnKind]:
    """Return the kind of each column.

    Args:
        frame: all rows, as the way of reading is found over all: a column of 0 and 1 among the training rows alone,
            and of 3 in another, holds numbers.
        names: of the columns.
        settings: of the preprocessing.
        reading: of the table.
    """
    stated: dict[str, ColumnKind] = dict.fromkeys(settings.date_columns, "date")
    stated |= dict.fromkeys(settings.categorical_columns, "category")
    return {
        str(name): stated.get(str(name)) or infer_kind(frame[name], reading.columns.get(str(name)))
        for name in names
    }


def fit_columns(
    inputs: pd.DataFrame,
    kinds: dict[str, ColumnKind],
    encoded: dict[str, np.ndarray],
    settings: PreprocessingSettings,
    reading: Reading,
) -> dict[str, Any]:
    """Return what scales, fills and encodes the columns of a kind.

    Args:
        inputs: of the rows that are fitted on; of columns with many values the frequent ones.
        kinds: of the columns.
        encoded: numbers of these rows that columns of many values became.
        settings: of the preprocessing.
        reading: of the table.
    """
    booleans, categories, dates = (
        [name for name, kind in kinds.items() if kind == wanted] for wanted in ("boolean", "category", "date")
    )
    whole_days = {name: has_whole_days(inputs[name]) for name in dates}
    numbers = scaled_numbers(inputs, kinds, whole_days, reading.settings.timezone) | encoded
    names = list(numbers)
    values = np.column_stack(list(numbers.values())) if numbers else None
    del numbers  # as much memory as the rows
    medians = [] if values is None else np.nanmedian(values, axis=0).tolist()
    scaler = encoder = None
    if values is not None and settings.scaling != "none" and settings.scaled_columns == "numbers":
        for column, median in zip(values.T, medians, strict=True):
            column[np.isnan(column)] = median
        scaler = fit_scaler(settings.scaling, values)
    modes = {name: class_text(inputs[name].mode().iloc[0]) for name in categories}
    fractions = {name: float(as_numbers(inputs[name].dropna()).mean()) for name in booleans}
    if categories:
        encoder = CategoryEncoder.fit(fill_text(inputs, modes).to_numpy(object), settings.drop_first)
    return {
        "kinds": kinds,
        "whole_days": whole_days,
        "numbers": names,
        "booleans": booleans,
        "categories": categories,
        "indicators": [name for name in kinds if inputs[name].isna().any()],
        "medians": medians,
        "modes": modes | {name: float(fraction > 0.5) for name, fraction in fractions.items()},
        "scaler": scaler,
        "encoder": encoder,
    }


def fit_inputs(
    inputs: pd.DataFrame,
    raw_target: np.ndarray | None,
    problem: Problem,
    settings: PreprocessingSettings,
    reading: Reading,
    kinds: dict[str, ColumnKind],
) -> tuple[dict[str, Any], list[str]]:
    """Return what is learnt of the input columns, and what becomes of those with many values, in sentences.

    Args:
        inputs: of the rows that are fitted on.
        raw_target: of these rows, None without one.
        problem: of the table.
        settings: of the preprocessing.
        reading: of the table.
        kinds: of the columns, as `find_kinds` returns them.

    Raises:
        DataError: no column is left, or one has empty cells where these are refused.
    """
    inputs, constants = without_constants(inputs)
    if settings.missing == "refuse":
        validate_no_missing(inputs)
    kinds = {str(name): kinds[str(name)] for name in inputs}
    roles = find_roles(inputs, kinds, reading, problem, settings)
    said = say_roles(roles, inputs, settings)
    for note in said:
        log.info(note)
    left_out = [name for name, role in roles.items() if role in ("identifier", "drop")]
    inputs = inputs.drop(columns=left_out)
    if inputs.shape[1] == 0:
        raise DataError("no input column is left: all others are identifiers, or left out by the settings")
    state, encoded = fit_many_values(inputs, roles, raw_target, problem, settings)
    kinds = {
        name: "encoded" if roles.get(name) in ("target", "text") else kind
        for name, kind in kinds.items()
        if name in inputs
    }
    state |= fit_columns(with_frequent(inputs, state), kinds, encoded, settings, reading)
    return {"constants": constants, "left_out": left_out} | state, said


def rows_to_fit(split: Split, settings: PreprocessingSettings) -> np.ndarray:
    """Return the positions of the rows that a table is fitted on, the training rows first."""
    if settings.fitted_on == "all_but_test":
        return np.concatenate([split.training, split.validation])
    return split.training


def fit_target(
    raw_target: Any, problem: Problem, settings: PreprocessingSettings, all_targets: Any
) -> dict[str, Any]:
    """Return the classes of the target, and what standardises its numbers.

    Args:
        raw_target: of the rows that are fitted on; None of a table without a target.
        problem: the task and its target.
        settings: of the preprocessing.
        all_targets: of all rows, by which alone the rarer of two classes is found: it is the same whatever the split.
    """
    task = None if raw_target is None else problem.task
    classes = class_names(raw_target) if task in ("multiclass", "binary") else []
    if task == "binary":
        classes = binary_classes(classes, all_targets, problem)
    means, scales, transform = [], [], TargetTransform()
    if task == "regression":
        values = target_numbers(raw_target)
        transform = TargetTransform.fit(problem.target_transform, values, ", ".join(problem.targets))
        if settings.scale_target:
            transformed = transform.forward(values)
            robust = robust_location(transformed)
            means, scales = transformed.mean(0).tolist(), transformed.std(0).tolist()
            if robust is not None:
                means, scales = [robust[0]], [robust[1]]
    return {
        "classes": classes,
        "target_means": means,
        "target_scales": scales,
        "target_parameters": [list(each) for each in transform.parameters],
    }


def read_rows_to_fit(
    frame: pd.DataFrame, problem: Problem, settings: PreprocessingSettings
) -> tuple[pd.DataFrame, Reading]:
    """Return all rows with the values that their cells mean, and how each column is read, the derived ones too.

    Raises:
        DataError: a cell cannot be read, in a table that `read_table` has not seen.
    """
    reading = reading_of(frame)
    if reading is None:
        reading = fit_columns_of(frame, problem, settings)
        attributes = frame.attrs
        frame, errors = reading.parse(frame, [n for n in reading.columns if n not in problem.drop])
        if errors.bad.any():
            row = int(np.flatnonzero(errors.bad)[0])
            raise DataError(
                f"row {frame.index[row]}: {errors.reasons[row]}; correct it, or leave the row out"
            )
        frame.attrs = dict(attributes)
    derived = derive_columns(frame, problem)
    new = [name for name in derived if str(name) not in reading.columns]
    if new:
        columns = fit_reading(derived[new], classes=problem.targets).columns
        reading = reading.model_copy(update={"columns": reading.columns | columns})
    return frame, reading
