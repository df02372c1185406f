"""Tables to matrices and back: imputation, scaling, dummies, class codes, fitted on training rows only."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.data_spec import DataSpec
from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import (
    class_texts,
    fill_text,
    flags_of,
    scaled_numbers,
    validate_columns,
    validate_no_missing,
)
from layerwise.data.preprocessing.leaks import validate_no_leaks
from layerwise.data.preprocessing.many_values import (
    cross_fitted,
    encode_many_values,
    with_frequent,
)
from layerwise.data.preprocessing.table_fit import (
    find_kinds,
    fit_inputs,
    fit_target,
    read_rows_to_fit,
    rows_to_fit,
)
from layerwise.data.preprocessing.table_spec import make_data_spec, restore_columns
from layerwise.data.preprocessing.targets import derive_columns, target_column, target_numbers
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.reading.cells import Reading, row_errors_of, with_tidy_names
from layerwise.data.row_rules import find_rules
from layerwise.data.splits import Split

if TYPE_CHECKING:
    import pandas as pd

# Rows whose numbers are made at a time, so that what is needed on the way takes little memory.
BLOCK_ROWS = 50_000


class TablePreprocessor:
    """The preprocessor of a table, fitted on its training rows.

    Numbers are imputed by their median and scaled; a date becomes its day count and the sine and cosine of
    its month and weekday, scaled like numbers; booleans (also columns of 0 and 1) and the dummies of
    categories are 0 and 1 and never scaled. An empty boolean or category takes the most frequent value. A
    category that training never saw becomes all zeros with a warning, which with `drop_first` is the first one.
    A column with missing values among the training rows gets an indicator. Constant columns are left out. Build
    it with `fit`; `state` is plain but for its scaler and encoder.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.problem = Problem(**state["problem"])
        self.settings = PreprocessingSettings(**state["settings"])
        self.data_spec = DataSpec(**state["data_spec"])
        if "reading" not in state:
            raise DataError(
                "its rows' reading is not in it: an older version of layerwise saved it; train it anew"
            )
        self.reading = Reading.model_validate(state["reading"])

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, training: np.ndarray, problem: Problem, settings: PreprocessingSettings
    ) -> TablePreprocessor:
        """Fit on the rows at the positions `training`.

        Args:
            frame: all rows, as `read_table` returns them; others are read here, and have to be readable.
            training: positions of the training rows.
            problem: of the table.
            settings: of the preprocessing.
        """
        validate_columns(frame, problem.drop, "problem.drop: column")
        attributes = frame.attrs
        frame, reading = read_rows_to_fit(frame, problem, settings)
        whole = derive_columns(frame, problem)
        frame = whole.iloc[training]
        # A table without targets is for pipelines that read none.
        raw_target = target_column(frame, problem) if problem.targets else None
        inputs = frame.drop(columns=[*problem.drop, *problem.targets])
        validate_columns(inputs, settings.date_columns, "preprocessing.date_columns: column")
        validate_columns(inputs, settings.categorical_columns, "preprocessing.categorical_columns: column")
        notes = list(attributes.get("reading_notes", ()))
        if raw_target is not None:
            notes += validate_no_leaks(inputs, frame[list(problem.drop)], raw_target, problem)
        kinds = find_kinds(whole, [str(name) for name in inputs], settings, reading)
        targets = find_kinds(whole, problem.targets, settings, reading)
        rules = find_rules(frame, kinds | targets, problem.rules)
        del frame  # the training rows are there once more, as inputs
        state: dict[str, Any] = {
            "kind": "table",
            "problem": problem.model_dump(mode="json"),
            "settings": settings.model_dump(mode="json"),
            "reading": reading.model_dump(mode="json"),
            "file_format": json.loads(attributes.get("file_format", "null")),
            "original": {
                str(name): "str" if kind.kind == "M" and reading.columns[str(name)].text else str(kind)
                for name, kind in inputs.dtypes.items()
            },
        }
        fitted, said = fit_inputs(inputs, raw_target, problem, settings, reading, kinds)
        state |= fitted
        all_targets = whole[problem.targets[0]].dropna().to_numpy() if problem.targets else None
        state |= fit_target(raw_target, problem, settings, all_targets)
        added = {"notes": [*notes, *said], "rules": rules.model_dump(mode="json")}
        state["data_spec"] = make_data_spec(state, problem, settings, attributes) | added
        if settings.scaled_columns == "all":
            matrix = cls(state).unscaled(whole.iloc[training])
            low, scale = matrix.mean(0), matrix.std(0)
            if settings.scaling == "minmax":
                low, scale = matrix.min(0), np.ptp(matrix, 0)
            state["shift"], state["scale"] = low.tolist(), np.where(scale > 0, scale, 1).tolist()
            state["data_spec"]["blocks"] = [
                block | {"kind": "real"} for block in state["data_spec"]["blocks"]
            ]
        return cls(state)

    def read(self, frame: pd.DataFrame, only_inputs: bool = False) -> pd.DataFrame:
        """Return rows with the values that their cells mean, and the columns that the problem derives.

        A cell that cannot be read is missing; `row_errors_of` the table says which and why. A table that was read stays
        as it is.

        Args:
            frame: rows, as cells or as they were read.
            only_inputs: leave out other columns than the inputs, which take time to read. Not where an input is
                missing, so that a misspelt name is found, or where the problem derives columns from any.

        Raises:
            DataError: a column is missing that others derive from, or is there twice.
        """
        if row_errors_of(frame) is None:
            inputs = set(self.state["original"])
            if only_inputs and self.problem.derive == "none":
                frame = with_tidy_names(frame)
                own = [name for name in frame if name in inputs]
                frame = frame[own] if len(own) == len(inputs) else frame
            frame, _ = self.reading.parse(frame, inputs)
        try:
            return derive_columns(frame, self.problem)
        except KeyError as error:
            raise DataError(f"missing input column(s): {error}") from None

    def _read_whole(self, frame: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
        """Return rows as `read` does; a DataError names the first cell of these columns that cannot be read."""
        if row_errors_of(frame) is not None:
            return self.read(frame)
        found = self.read(frame)
        errors = row_errors_of(found)
        for cells in [] if errors is None else [errors.cells[name] for name in names if name in errors.cells]:
            row, reason = next(iter(cells.items()))
            raise DataError(f"row {frame.index[row]}: {reason}; correct it, or leave the row out")
        return found

    def inputs(self, frame: pd.DataFrame, cross_fitted: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
        """Return (n, n_inputs) float32 in the fitted columns' order; extra and reordered columns are fine.

        Args:
            frame: rows, as cells or as they were read.
            cross_fitted: numbers of the rows that it was fitted on, in place of those that new rows get.

        Raises:
            DataError: a column is missing; a cell holds text, an infinite value, or nothing where refused.
        """
        matrix = self.unscaled(frame, dict(cross_fitted or {}))
        if "scale" in self.state:
            matrix = (matrix - self.state["shift"]) / self.state["scale"]
        return matrix.astype(np.float32, copy=False)

    def unscaled(self, frame: pd.DataFrame, cross_fitted: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """Return `inputs` before all columns are scaled, then float64: means of large numbers are subtracted."""
        s = self.state
        frame = self._read_whole(frame, s["original"])
        validate_columns(frame, tuple(s["kinds"]), "input column")
        frame = with_frequent(frame, s)
        if self.settings.missing == "refuse":
            validate_no_missing(frame[list(s["kinds"])])
        for name in (name for name in s["kinds"] if name not in s["indicators"]):
            if count := int(frame[name].isna().sum()):
                warnings.warn(
                    f"column '{name}': {count} row(s) are empty, as none was in training; they are imputed",
                    stacklevel=2,
                )
        precise = self.settings.scaled_columns == "all"
        matrix = np.empty((len(frame), self.data_spec.n_inputs), np.float64 if precise else np.float32)
        fitted = cross_fitted or {}
        at, end = len(s["numbers"]), self.data_spec.n_inputs - len(s["indicators"])
        blocks = [slice(start, start + BLOCK_ROWS) for start in range(0, len(frame), BLOCK_ROWS)]
        if s["numbers"]:
            for rows in blocks:
                matrix[rows, :at] = self._numbers(frame.iloc[rows], {n: v[rows] for n, v in fitted.items()})
        for name in s["booleans"]:
            matrix[:, at] = flags_of(frame[name], s["modes"][name])
            at += 1
        if s["categories"]:
            filled = self._filled_categories(frame)
            for rows in blocks:
                matrix[rows, at:end] = s["encoder"].transform(filled.iloc[rows].to_numpy(object))
        for k, name in enumerate(s["indicators"], end):
            matrix[:, k] = frame[name].isna().to_numpy()
        return matrix

    def _numbers(self, frame: pd.DataFrame, cross_fitted: dict[str, np.ndarray]) -> np.ndarray:
        """Return the scaled columns (n, numbers), the median where a cell is empty."""
        s = self.state
        numbers = scaled_numbers(frame, s["kinds"], s["whole_days"], self.reading.settings.timezone)
        numbers |= encode_many_values(frame, s) | cross_fitted
        values = np.column_stack(list(numbers.values()))
        values = np.where(np.isnan(values), s["medians"], values)
        return values if s["scaler"] is None else s["scaler"].transform(values)

    def _filled_categories(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the categories as text, the most frequent one where a cell is empty."""
        s = self.state
        filled = fill_text(frame, {name: s["modes"][name] for name in s["categories"]})
        for name, known in zip(s["categories"], s["encoder"].categories_, strict=True):
            unseen = ~filled[name].isin(known)
            if unseen.any():
                without = f"they are read as '{known[0]}', which has no dummy of its own (drop_first)"
                warnings.warn(
                    f"column '{name}': {int(unseen.sum())} row(s) hold categories never seen in training, such as "
                    f"'{filled[name][unseen].iloc[0]}'; "
                    f"{without if self.settings.drop_first else 'their dummies are all 0'}",
                    stacklevel=3,
                )
        return filled

    def replace_fitted_rows(self, matrix: np.ndarray, frame: pd.DataFrame, split: Split) -> None:
        """Put the training rows' inputs into a matrix of all rows, as scaling was fitted on them.

        Columns that are encoded by the target are so by other folds alone; of new rows by all training rows.
        """
        if self.state["coded"]:
            fitted = self.read(frame).iloc[rows_to_fit(split, self.settings)]
            numbers = cross_fitted(fitted, target_column(fitted, self.problem), self.state, self.problem)
            matrix[split.training] = self.inputs(fitted, numbers)[: len(split.training)]

    def targets(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the targets in the shape that the task asks for."""
        import pandas as pd

        raw = target_column(self._read_whole(frame, self.problem.targets), self.problem, of_all_rows=False)
        task = self.problem.task
        if task in ("multiclass", "binary"):
            names = class_texts(pd.Series(raw)).to_numpy(object)
            labels = pd.Index(self.state["classes"], dtype=object).get_indexer(pd.Index(names, dtype=object))
            if unknown := sorted(set(names[labels < 0].tolist())):
                raise DataError(
                    f"target '{self.problem.target}' holds classes not seen in training: {unknown}"
                )
            return labels if task == "multiclass" else labels[:, None].astype(np.float32)
        values, transform = target_numbers(raw), self.data_spec.transform
        if not transform.defined(values).all():
            raise DataError(
                f"target '{self.problem.target}' has values of which {transform.kind} is undefined"
            )
        values = transform.forward(values)
        if self.state["target_scales"]:
            values = (values - self.state["target_means"]) / self.state["target_scales"]
        return values.astype(np.float32)

    def restore_inputs(self, matrix: np.ndarray) -> pd.DataFrame:
        """Undo scaling and dummies: (n, n_inputs) to the raw columns in their order and types.

        Indicators are left out: an imputed cell shows the value it was given. Constant columns are put back.
        """
        import pandas as pd

        s, at = self.state, len(self.state["numbers"])
        if "scale" in s:
            matrix = np.asarray(matrix, dtype=np.float64) * s["scale"] + s["shift"]
        columns: dict[str, Any] = {}
        values = np.asarray(matrix[:, :at], dtype=np.float64)
        if s["scaler"] is not None:
            values = s["scaler"].inverse_transform(values)
        numbers = dict(zip(s["numbers"], values.T, strict=True))
        for name in s["booleans"]:
            columns[name] = matrix[:, at] > 0.5
            at += 1
        for i, name in enumerate(s["categories"]):
            known = list(s["encoder"].categories_[i])
            shown = known[1:] if self.settings.drop_first else known
            dummies = matrix[:, at : at + len(shown)]
            if self.settings.drop_first:
                # The dropped category is as likely as the others leave room for.
                dummies = np.concatenate([np.clip(1 - dummies.sum(1, keepdims=True), 0, 1), dummies], axis=1)
            columns[name] = np.asarray(known, dtype=object)[dummies.argmax(1)]
            at += len(shown)
        return pd.DataFrame(restore_columns(s, len(matrix), numbers, columns, self.reading))
