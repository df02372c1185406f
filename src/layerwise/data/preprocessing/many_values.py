"""Columns of text with many values: identifiers, free text, and categories of too many values for a dummy each."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import ColumnKind, feature_name, fill_text
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.reading.cells import Reading

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["identifier", "text", "target", "frequent", "drop"]
# A value of its own in nearly every row: an identifier, or free text where cells have several words.
MIN_DISTINCT = 0.95
MIN_WORDS = 3.0
MIN_ROWS = 20
# Of the rows; one repeated number is a slip of whoever copied the row.
ID_FRACTION = 0.99
# In one word, id stands behind what it is of: paid and grid are no ids.
ID_NAME = re.compile(
    r"(^|[\W_])(ids?|uuid|guid|key|nr|no|number|nummer|serial)$|^((row|line)[\W_]?)?(index|id|nr|no|number)$|^unnamed|^$|"
    r"(^|[\W_])(user|customer|client|member|patient|person|passenger|employee|student|subject|order|item|product|case"
    r"|account|policy|claim|loan|transaction|session|invoice|record|sample|image|doc|document|movie|store|station)id$",
    re.IGNORECASE,
)
ID_NAME_CASED = re.compile(r"[a-z](ID|Id|Number|No|Nr|Key)$")
OTHERS = "(others)"
FOLDS = 5


def find_roles(
    inputs: pd.DataFrame,
    kinds: Mapping[str, ColumnKind],
    reading: Reading,
    problem: Problem,
    settings: PreprocessingSettings,
) -> dict[str, Role]:
    """Return the columns that are no dummies and no plain numbers, and what becomes of each.

    Args:
        inputs: the training rows' inputs.
        kinds: of the columns.
        reading: of the table; a column that the settings call a category is no identifier and no free text.
        problem: the task, which decides whether a category can be encoded by its target.
        settings: of the preprocessing.
    """
    stated = {
        *settings.categorical_columns,
        *(n for n, k in reading.settings.columns.items() if k == "category"),
    }
    roles: dict[str, Role] = {}
    for name, kind in kinds.items():
        column = inputs[name].dropna()
        if kind == "number" and name not in stated:
            if len(column) >= MIN_ROWS and is_named_as_id(name) and _has_whole_number_each(column):
                roles[name] = "identifier"
        elif kind == "category":
            values = column.nunique()
            how = reading.columns.get(name)
            said_text = how is not None and how.kind == "text"
            if values <= settings.max_dummies and not said_text:
                continue
            distinct = values / max(1, len(column))
            words = float(column.astype(str).str.count(r"\s+").mean()) + 1
            if said_text or (name not in stated and distinct > 0.5 and words >= MIN_WORDS):
                roles[name] = "text" if settings.texts == "encode" else "drop"
            elif name not in stated and distinct >= MIN_DISTINCT:
                roles[name] = "identifier"
            else:
                roles[name] = settings.many_values if _has_one_target(problem) else "frequent"
                if settings.many_values == "drop":
                    roles[name] = "drop"
    return roles


def is_named_as_id(name: str) -> bool:
    """Return whether a column is called as what numbers or names rows is."""
    return bool(ID_NAME.search(name) or ID_NAME_CASED.search(name))


def _has_whole_number_each(present: pd.Series) -> bool:
    """Return whether nearly every row has a whole number of its own in this column without empty cells."""
    return present.nunique() >= ID_FRACTION * len(present) and bool((present % 1 == 0).all())


def _has_one_target(problem: Problem) -> bool:
    return problem.task in ("binary", "multiclass", "regression") and len(problem.targets) == 1


def say_roles(roles: Mapping[str, Role], inputs: pd.DataFrame, settings: PreprocessingSettings) -> list[str]:
    """Return what becomes of the columns, a sentence each, for the log and the model card."""
    said = {
        "identifier": "has a value of its own in nearly every row: it is an identifier, and no input",
        "drop": "has too many values for a dummy each, and is left out by the settings",
        "text": "is free text, and becomes {k} numbers (preprocessing.texts)",
        "target": "has {n} values, and becomes the mean target of each (preprocessing.many_values)",
        "frequent": f"has {{n}} values: the {settings.max_dummies} most frequent have a dummy, the others one together",
    }
    notes = []
    for name, role in roles.items():
        text = said[role].format(n=inputs[name].nunique(), k=settings.text_components)
        notes.append(f"Column '{name}' {text}.")
    return notes


def fit_many_values(
    inputs: pd.DataFrame,
    roles: Mapping[str, Role],
    target: np.ndarray | None,
    problem: Problem,
    settings: PreprocessingSettings,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what encodes such columns, and the numbers that the training rows get.

    A training row is encoded by rows of other folds alone: its own target would be in its input otherwise.

    Args:
        inputs: of the rows that are fitted on.
        roles: of the columns.
        target: (n,) of these rows, NaN or None where there is none; None of a table without one.
        problem: the task.
        settings: of the preprocessing.
    """
    chosen = {role: [n for n, r in roles.items() if r == role] for role in ("target", "text", "frequent")}
    state: dict[str, Any] = {"coded": {}, "target_encoder": None, "texts": {}, "text_models": None}
    state["frequent"] = {
        name: inputs[name].value_counts().index[: settings.max_dummies].astype(str).tolist()
        for name in chosen["frequent"]
    }
    numbers: dict[str, np.ndarray] = {}
    if chosen["target"] and target is not None:
        encoder, values = _fit_by_target(coded_cells(inputs, chosen["target"]), target, problem)
        parts = [""] if problem.task != "multiclass" else [str(each) for each in encoder.classes_]
        features = [
            feature_name(name, f"mean{'_' if part else ''}{part}", inputs.columns)
            for name in chosen["target"]
            for part in parts
        ]
        n = len(parts)
        state["coded"] = {name: features[k * n : (k + 1) * n] for k, name in enumerate(chosen["target"])}
        # How it was cross-fitted is known; a splitter is no plain value.
        state["target_encoder"] = encoder.set_params(cv=FOLDS)
        numbers |= dict(zip(features, values.T, strict=True))
    if chosen["text"]:
        state["text_models"] = []
        for name in chosen["text"]:
            model, values = fit_text_model(inputs[name], settings.text_components)
            features = [feature_name(name, str(k), inputs.columns) for k in range(values.shape[1])]
            state["texts"][name] = features
            state["text_models"].append(model)
            numbers |= dict(zip(features, values.T, strict=True))
    return state, numbers


def encode_many_values(frame: pd.DataFrame, state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the numbers of such columns for any rows, each row by itself."""
    numbers: dict[str, np.ndarray] = {}
    if state["coded"]:
        names = list(state["coded"])
        values = state["target_encoder"].transform(coded_cells(frame, names))
        features = [feature for name in names for feature in state["coded"][name]]
        numbers |= dict(zip(features, values.T, strict=True))
    for k, (name, features) in enumerate(state["texts"].items()):
        numbers |= dict(zip(features, apply_text_model(frame[name], state["text_models"][k]).T, strict=True))
    return numbers


def cross_fitted(
    inputs: pd.DataFrame, target: np.ndarray, state: Mapping[str, Any], problem: Problem
) -> dict[str, np.ndarray]:
    """Return the numbers of target-encoded columns that the rows which were fitted on got at training."""
    names = list(state["coded"])
    _, values = _fit_by_target(coded_cells(inputs, names), target, problem)
    features = [feature for name in names for feature in state["coded"][name]]
    return dict(zip(features, values.T, strict=True))


def coded_cells(frame: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return the cells of columns as text, (n, columns) object; an empty cell is a value of its own."""
    return fill_text(frame, dict.fromkeys(names, "")).to_numpy(object)


def _fit_by_target(cells: np.ndarray, target: np.ndarray, problem: Problem) -> tuple[Any, np.ndarray]:
    """Return the encoder fitted on the rows with a target, and the numbers of all: of those with one cross-fitted."""
    import pandas as pd

    known = np.flatnonzero(~pd.isna(target))
    values = target[known]
    codes = values.astype(np.float64) if problem.task == "regression" else values.astype(str)
    encoder = _target_encoder(codes, problem)
    cross_fitted_rows = encoder.fit_transform(cells[known], codes)
    found: np.ndarray = encoder.transform(cells)
    found[known] = cross_fitted_rows
    return encoder, found


def _target_encoder(codes: np.ndarray, problem: Problem) -> Any:
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.preprocessing import TargetEncoder

    folds = FOLDS
    if problem.task != "regression":
        folds = min(FOLDS, int(np.unique(codes, return_counts=True)[1].min()))
    if folds < 2 or len(codes) < FOLDS:
        raise DataError(
            "a column of many values cannot be encoded by a target with so few rows: set "
            "preprocessing.many_values: frequent"
        )
    if problem.task == "regression":
        return TargetEncoder(target_type="continuous", cv=KFold(folds, shuffle=True, random_state=0))
    return TargetEncoder(target_type=problem.task, cv=StratifiedKFold(folds, shuffle=True, random_state=0))


def fit_text_model(column: pd.Series, components: int) -> tuple[dict[str, Any], np.ndarray]:
    """Return what turns free text into numbers, as skrub's `StringEncoder` learns it, and the numbers of these rows.

    It is TF-IDF of groups of three and four letters, projected on its largest singular vectors. What is kept is plain:
    scikit-learn's vectorizer, an array and a number.

    Raises:
        DataError: skrub is not installed.
    """
    try:
        from skrub import StringEncoder
    except ImportError:
        raise DataError(
            f"column '{column.name}' is free text, which skrub encodes: pip install skrub, or set "
            "preprocessing.texts: drop"
        ) from None
    texts = column.fillna("").astype("str")
    encoder = StringEncoder(n_components=components, random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The matrix shape is")
        encoder.fit_transform(texts)
    decomposition = getattr(encoder, "tsvd_", None)
    model = {
        "vectorizer": encoder.vectorizer_,
        "directions": None
        if decomposition is None
        else np.asarray(decomposition.components_, dtype=np.float64),
        "scale": float(encoder.scaling_factor_),
        "size": int(encoder.n_components_),
    }
    return model, apply_text_model(column, model)


def apply_text_model(column: pd.Series, model: Mapping[str, Any]) -> np.ndarray:
    """Return the numbers of free text, (n, components) float64, each row by itself."""
    counts = model["vectorizer"].transform(column.fillna("").astype(str).tolist())
    if model["directions"] is None:
        values = counts[:, : model["size"]].toarray().astype(np.float64)
    else:
        values = np.asarray(counts @ model["directions"].T)
    return values / model["scale"]


def with_frequent(frame: pd.DataFrame, state: Mapping[str, Any]) -> pd.DataFrame:
    """Return rows whose rare values of columns with many are one value together."""
    changed = {
        name: frame[name].where(frame[name].isin(values) | frame[name].isna(), OTHERS)
        for name, values in state["frequent"].items()
        if name in frame
    }
    return frame.assign(**changed) if changed else frame


def restore_encoded(name: str, numbers: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> pd.Series:
    """Return a column from its numbers: the value whose mean target is nearest; free text and identifiers are empty."""
    import pandas as pd

    n = len(next(iter(numbers.values()))) if numbers else 0
    if name not in state["coded"]:
        return pd.Series([None] * n, dtype="str")
    encoder, k = state["target_encoder"], list(state["coded"]).index(name)
    features = state["coded"][name]
    at, size = k * len(features), len(features)
    means = np.stack(encoder.encodings_[at : at + size], axis=1)
    given = np.stack([numbers[feature] for feature in features], axis=1)
    nearest = ((given[:, None] - means[None]) ** 2).sum(2).argmin(1)
    return pd.Series(np.asarray(encoder.categories_[k], dtype=object)[nearest], dtype="str")
