"""The rows of a file that are most unusual to a model, which are found while all of them are answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from layerwise.data.reading import Chunk, ChunkedReader
from layerwise.inference import StreamedPredictions, TrainedModel
from layerwise.parameters import PredictSettings
from layerwise.utils import Config

SHOWN_IMAGES, SHOWN_ROWS = 10, 20
SCORE = "anomaly_score"


class UnusualRows(Config):
    """The rows of a file that have the highest anomaly scores, the highest first; none where all were refused.

    Args:
        names: of the rows, as the figure names them.
        scores: of each.
        inputs: the network's, of each (columns).
    """

    names: tuple[str, ...]
    scores: tuple[float, ...]
    inputs: tuple[tuple[float, ...], ...]


class UnusualRowSearch:
    """Finds the rows of the highest anomaly score while all are answered, chunk by chunk; called, it returns them.

    Args:
        model: answers.
        rows: of the file.
        settings: what is asked.
    """

    def __init__(self, model: TrainedModel, rows: ChunkedReader, settings: PredictSettings) -> None:
        self._model, self._rows, self._settings = model, rows, settings
        self._limit = SHOWN_IMAGES if model.has_image_inputs else SHOWN_ROWS
        self.predictions = StreamedPredictions(model, rows, settings.strict, settings, self.add)
        self._clear()

    def _clear(self) -> None:
        self.names: list[str] = []
        self.scores = np.zeros(0)
        self.inputs: torch.Tensor | None = None

    def __call__(self) -> UnusualRows:
        """Return what was found when the answers were written."""
        if not self.predictions.is_complete:  # an asynchronous runner writes several outputs at a time
            again = UnusualRowSearch(self._model, self._rows, self._settings)
            for _ in again.predictions:
                pass
            return again()
        rows = [] if self.inputs is None else self.inputs.tolist()
        return UnusualRows(
            names=tuple(self.names), scores=tuple(self.scores.tolist()), inputs=tuple(map(tuple, rows))
        )

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
        names = [chunk.lines[k] if self._rows.has_pictures else f"row {chunk.start + k}" for k in chosen]
        found = np.concatenate([self.scores, scores[best]])
        order = np.argsort(-found, kind="stable")[: self._limit]
        self.names = [(self.names + names)[k] for k in order]
        self.scores = found[order]
        before = inputs[:0] if self.inputs is None else self.inputs
        self.inputs = torch.cat([before, inputs])[torch.from_numpy(order)]
