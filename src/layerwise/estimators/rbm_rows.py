"""Tables that `RBMTransformer` is given, with categories, dates or texts: preprocessed as the pipelines do."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from pydantic import ValidationError

from layerwise.data import PreprocessingSettings, Problem, Split
from layerwise.data.preprocessing import LabelledPreprocessor, fit_preprocessor
from layerwise.estimators.settings import describe_errors
from layerwise.parameters import ParameterError


def needs_preprocessing(X: Any) -> bool:
    """Return whether rows are a DataFrame with a column that is no number."""
    import pandas as pd

    return isinstance(X, pd.DataFrame) and not all(map(pd.api.types.is_numeric_dtype, X.dtypes))


def fit_table(frame: Any, settings: dict[str, Any], visible: str) -> LabelledPreprocessor:
    """Return the preprocessor of a table, fitted on all of its rows.

    Args:
        frame: the rows, a DataFrame.
        settings: of `PreprocessingSettings`, by name.
        visible: the units; numbers are scaled to [0, 1] for Bernoulli ones.

    Raises:
        ParameterError: a setting is wrong.
    """
    default = {"scaling": "minmax"} if visible == "bernoulli" else {}
    try:
        checked = PreprocessingSettings(**(default | settings))
    except ValidationError as error:
        raise ParameterError("settings: preprocessing: " + "; ".join(describe_errors(error, {}))) from error
    none = np.empty(0, np.int64)
    split = Split(training=np.arange(len(frame)), validation=none, test=none)
    found = fit_preprocessor(frame, split, Problem(name="estimator", task="multiclass"), checked, 0)
    return cast("LabelledPreprocessor", found)
