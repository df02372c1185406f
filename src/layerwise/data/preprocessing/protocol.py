"""What a fitted preprocessor offers, whatever its rows are."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from layerwise.data.data_spec import DataSpec
from layerwise.data.problem import PreprocessingSettings
from layerwise.data.splits import Split


class Preprocessor(Protocol):
    """A fitted preprocessor: of images, tables, ratings or documents.

    `state` is all that was fitted, as plain values beside the scaler and the encoder of a table.
    """

    state: dict[str, Any]
    data_spec: DataSpec


class LabelledPreprocessor(Preprocessor, Protocol):
    """One of rows with targets (images, tables), which goes both ways."""

    settings: PreprocessingSettings

    def inputs(self, rows: Any, /) -> np.ndarray:
        """Return raw rows as a matrix (n, n_inputs) float32."""
        ...

    def replace_fitted_rows(self, matrix: np.ndarray, rows: Any, split: Split, /) -> None:
        """Put the inputs that the training rows have at training into a matrix of all rows, where they differ."""
        ...

    def targets(self, rows: Any, /) -> np.ndarray:
        """Return the targets of raw rows, (n,) int64 or (n, k) float32."""
        ...

    def restore_inputs(self, matrix: np.ndarray, /) -> Any:
        """Return a matrix (n, n_inputs) in the units of the raw rows."""
        ...
