"""The rows of a file that are most unusual to a model, which are found while all of them are answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from layerwise.data.reading import Chunk
from layerwise.inference import TrainedModel

SHOWN_IMAGES, SHOWN_ROWS = 10, 20
SCORE = "anomaly_score"


class UnusualRows:
    """The rows of the highest anomaly score among those that are answered, chunk by chunk.

    Args:
        model: answers.
        path: of the rows, as an error names it.
        has_pictures: the rows are pictures, which have names.
    """

    def __init__(self, model: TrainedModel, path: Path | str, has_pictures: bool = False) -> None:
        self._model, self.path, self._has_pictures = model, path, has_pictures
        self._limit = SHOWN_IMAGES if model.has_image_inputs else SHOWN_ROWS
        self._clear()

    def _clear(self) -> None:
        self.names: list[str] = []
        self.scores = np.zeros(0)
        self.inputs: torch.Tensor | None = None

    def __deepcopy__(self, memo: Any) -> UnusualRows:
        """Return itself: Kedro keeps it in memory while the rows are still answered, and a copy would stay empty."""
        return self

    def add(self, chunk: Chunk, answers: pd.DataFrame, reasons: np.ndarray) -> None:
        """Keep what is more unusual than the rows before.

        Args:
            chunk: of the rows; the first one of a file begins anew.
            answers: to its valid rows.
            reasons: why each other row was rejected, (n,) text.
        """
        if chunk.start == 0:
            self._clear()
        scores, positions = answers[SCORE].to_numpy(dtype=np.float64), np.flatnonzero(reasons == "")
        least = self.scores[-1] if len(self.scores) == self._limit else -np.inf
        # Of rows that score alike the first ones stay.
        best = np.argsort(-scores, kind="stable")[: self._limit]
        best = best[scores[best] > least]
        if not len(best):
            return
        chosen = positions[best]
        if isinstance(chunk.rows, pd.DataFrame):
            rows = chunk.rows.iloc[chosen]
            inputs = self._model.inputs(self._model.select_inputs(rows))
        else:
            inputs = self._model.inputs(chunk.rows[chosen])
        names = [chunk.lines[k] if self._has_pictures else f"row {chunk.start + k}" for k in chosen]
        found = np.concatenate([self.scores, scores[best]])
        order = np.argsort(-found, kind="stable")[: self._limit]
        self.names = [(self.names + names)[k] for k in order]
        self.scores = found[order]
        before = inputs[:0] if self.inputs is None else self.inputs
        self.inputs = torch.cat([before, inputs])[torch.from_numpy(order)]
