"""The figure of the rows of a file that are most unusual to a model, which are found while all of them are answered."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from layerwise.data.reading import Chunk, ChunkedReader
from layerwise.evaluation import plots
from layerwise.inference import StreamedPredictions, TrainedModel
from layerwise.inference.tasks import score_columns
from layerwise.parameters import PredictSettings
from layerwise.utils import Config

SHOWN_IMAGES, SHOWN_ROWS, SHOWN_COLUMNS = 10, 20, 12
# Columns whose errors are far below their means have one color.
SMALLEST_RATIO = 0.1
SCORE = "anomaly_score"
log = logging.getLogger(__name__)


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


def plot_unusual_rows(
    model: TrainedModel, rows: ChunkedReader, unusual_rows: UnusualRows
) -> Figure | list[Figure]:
    """Plot the rows of the highest anomaly score: of images the error picture, of a table the errors of the columns.

    Returns:
        The figure; an empty list, for which its entry writes none, where every row was refused.
    """
    if not unusual_rows.scores:
        log.warning("%s: no row has an anomaly score, so that there is no figure of unusual rows", rows.path)
        return []
    inputs = torch.tensor(unusual_rows.inputs)
    captions = zip(unusual_rows.names, unusual_rows.scores, strict=True)
    if model.has_image_inputs:
        return _plot_images(model, inputs, [f"{name}\n{score:.1f}" for name, score in captions])
    return _plot_columns(model, inputs, [f"{name}, score {score:.1f}" for name, score in captions])


def _plot_images(model: TrainedModel, inputs: torch.Tensor, captions: list[str]) -> Figure:
    """Plot images, their reconstructions and the absolute difference of both."""
    with torch.no_grad():
        reconstructed = model.network.reconstruct(inputs.to(model.device)).cpu()  # type: ignore[operator]
    shape = model.columns.image_shape
    assert shape is not None
    lines = {
        "input": inputs,
        "reconstruction": reconstructed.clamp(0, 1),
        "error": (reconstructed - inputs).abs(),
    }
    return plots.plot_image_rows(lines, shape, title="The most unusual images", captions=captions)


def _plot_columns(model: TrainedModel, inputs: torch.Tensor, captions: list[str]) -> Figure:
    """Plot the errors of the columns in multiples of their means on validation rows, the largest columns first."""
    reference = model.parts.reference
    assert reference is not None
    errors = score_columns(model, inputs)[1]
    means = np.maximum(reference.column_errors, 1e-6 * max(reference.column_errors))
    ratios = errors / means
    columns = ratios.mean().nlargest(SHOWN_COLUMNS).index
    return plots.plot_heat_map(
        ratios[columns].clip(lower=SMALLEST_RATIO),
        captions,
        list(columns),
        title="The most unusual rows",
        value="error of the column / its mean on validation rows",
        logarithmic=True,
        show_numbers=False,
    )
