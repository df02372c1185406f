"""What scales numbers and encodes categories, as plain values that JSON keeps: scikit-learn fits it, NumPy applies it.

A trained model is read and predicts without scikit-learn, whose import and that of skops take three seconds.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from layerwise.utils import Config

# What a preprocessor has fitted beside plain values; scalers and encoders of categories in earlier versions.
FITTED_TYPES = (
    "sklearn.preprocessing._target_encoder.TargetEncoder",
    "sklearn.feature_extraction.text.TfidfVectorizer",
    "sklearn.feature_extraction.text.TfidfTransformer",
    "sklearn.preprocessing._data.MinMaxScaler",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._encoders.OneHotEncoder",
    "sklearn.preprocessing._encoders.OrdinalEncoder",
)


class NumberScaler(Config):
    """Numbers less their mean over their standard deviation, or from 0 to 1; scikit-learn's arithmetic to the bit.

    `offsets` and `scales` have a value for each column: of `standard` the mean and the standard deviation, of `minmax`
    what is added after the product with the scale.
    """

    kind: Literal["standard", "minmax"]
    offsets: tuple[float, ...]
    scales: tuple[float, ...]

    @classmethod
    def fit(cls, kind: Literal["standard", "minmax"], values: np.ndarray) -> NumberScaler:
        """Fit on (n, columns) numbers without gaps."""
        from sklearn.preprocessing import MinMaxScaler, StandardScaler

        fitted: Any = (StandardScaler() if kind == "standard" else MinMaxScaler()).fit(values)
        offsets = fitted.mean_ if kind == "standard" else fitted.min_
        return cls(kind=kind, offsets=tuple(offsets.tolist()), scales=tuple(fitted.scale_.tolist()))

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return (n, columns) scaled."""
        if self.kind == "standard":
            return (values - np.array(self.offsets)) / np.array(self.scales)
        return values * np.array(self.scales) + np.array(self.offsets)

    def inverse_transform(self, values: np.ndarray) -> np.ndarray:
        """Return (n, columns) in their own units again."""
        if self.kind == "standard":
            return values * np.array(self.scales) + np.array(self.offsets)
        return (values - np.array(self.offsets)) / np.array(self.scales)


class CategoryEncoder(Config):
    """A column of 0 and 1 for each category of each column, without the first one where `drop_first` says so."""

    categories: tuple[tuple[str, ...], ...]
    drop_first: bool = False

    @classmethod
    def fit(cls, texts: np.ndarray, drop_first: bool) -> CategoryEncoder:
        """Note the categories of (n, columns) texts, each column's in order."""
        return cls(
            categories=tuple(tuple(sorted(set(column.tolist()))) for column in texts.T), drop_first=drop_first
        )

    @property
    def categories_(self) -> list[np.ndarray]:
        """Each column's categories, under scikit-learn's name."""
        return [np.array(known, dtype=object) for known in self.categories]

    def transform(self, texts: np.ndarray) -> np.ndarray:
        """Return (n, dummies) float64 of (n, columns) texts; a category that was not there has zeros alone."""
        import pandas as pd

        parts = []
        for known, column in zip(self.categories, texts.T, strict=True):
            codes = pd.Index(known, dtype=object).get_indexer(pd.Index(column, dtype=object))
            dummies = np.zeros((len(column), len(known)))
            found = np.flatnonzero(codes >= 0)
            dummies[found, codes[found]] = 1
            parts.append(dummies[:, 1:] if self.drop_first else dummies)
        return np.concatenate(parts, axis=1)


# By the names of the preprocessor's state.
PLAIN: dict[str, type[NumberScaler | CategoryEncoder]] = {"scaler": NumberScaler, "encoder": CategoryEncoder}


def as_plain_values(state: dict[str, Any]) -> dict[str, Any]:
    """Return a preprocessor's state with its scaler and encoder as values that JSON keeps."""
    return {
        name: value.model_dump(mode="json") if isinstance(value, NumberScaler | CategoryEncoder) else value
        for name, value in state.items()
    }


def from_plain_values(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state that `as_plain_values` was called on."""
    return {
        name: PLAIN[name].model_validate(value) if name in PLAIN and isinstance(value, dict) else value
        for name, value in state.items()
    }
