"""The figure of the rows of a file that are most unusual to a model."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from layerwise.data import DataError
from layerwise.data.reading import ChunkedReader
from layerwise.evaluation import plots
from layerwise.inference import TrainedModel
from layerwise.inference.tasks import answer_chunk, find_task
from layerwise.parameters import PredictSettings

SHOWN_IMAGES, SHOWN_ROWS, SHOWN_COLUMNS = 10, 20, 12
# A figure is not worth the time of answering a large file twice: it is of the chunks that begin before this row.
MOST_ROWS = 100_000
# Columns whose errors are far below their means have one color.
SMALLEST_RATIO = 0.1
NAME, SCORE = "name", "anomaly_score"


def plot_unusual_rows(model: TrainedModel, rows: ChunkedReader, settings: PredictSettings) -> Figure:
    """Plot the rows of the highest anomaly score: of images the error picture, of a table the errors of the columns.

    The rows are read once more, a chunk at a time, and of a large file the first 100,000 alone.
    """
    if model.has_image_inputs:
        rows.image_reading = model.preprocessor.image_reading
    limit = SHOWN_IMAGES if model.has_image_inputs else SHOWN_ROWS
    found: list[tuple[pd.DataFrame, Any]] = []
    task, asked = find_task(model, settings), settings.model_copy(update={"error_columns": True})
    scope = ""
    for chunk in rows.chunks(model.file_format, model.plain_numbers):
        if chunk.start >= MOST_ROWS:
            scope = f" of the first {chunk.start:,}"
            break
        answers, reasons = answer_chunk(model, task, chunk, asked, settings.strict)
        positions = np.flatnonzero(reasons == "")
        names = [chunk.lines[k] if rows.has_pictures else f"row {chunk.start + k}" for k in positions]
        worst = answers.assign(**{NAME: names}).nlargest(limit, SCORE)
        chosen = positions[worst.index]
        part = chunk.rows.iloc[chosen] if isinstance(chunk.rows, pd.DataFrame) else chunk.rows[chosen]
        selected = task.select(model, part) if isinstance(part, pd.DataFrame) else part
        found.append((worst, model.inputs(selected)))
    worst = pd.concat([answers for answers, _ in found], ignore_index=True)
    if not len(worst):
        raise DataError(f"{rows.path}: no row has an anomaly score")
    worst = worst.nlargest(limit, SCORE)
    inputs = torch.cat([part for _, part in found])[worst.index.to_numpy()]
    if model.has_image_inputs:
        return _plot_images(model, inputs, worst, f"The most unusual images{scope}")
    return _plot_columns(model, worst, f"The most unusual rows{scope}")


def _plot_images(model: TrainedModel, inputs: torch.Tensor, worst: pd.DataFrame, title: str) -> Figure:
    """Plot images, their reconstructions and the absolute difference of both."""
    with torch.no_grad():
        reconstructed = model.network.reconstruct(inputs.to(model.device)).cpu()  # type: ignore[operator]
    shape = model.columns.image_shape
    assert shape is not None
    captions = [f"{name}\n{score:.1f}" for name, score in zip(worst[NAME], worst[SCORE], strict=True)]
    lines = {
        "input": inputs,
        "reconstruction": reconstructed.clamp(0, 1),
        "error": (reconstructed - inputs).abs(),
    }
    return plots.plot_image_rows(lines, shape, title=title, captions=captions)


def _plot_columns(model: TrainedModel, worst: pd.DataFrame, title: str) -> Figure:
    """Plot the errors of the columns in multiples of their means on validation rows, the largest columns first."""
    reference = model.parts.reference
    assert reference is not None
    errors = worst.filter(regex="^error_").rename(columns=lambda name: name.removeprefix("error_"))
    means = np.maximum(reference.column_errors, 1e-6 * max(reference.column_errors))
    ratios = errors / means
    columns = ratios.mean().nlargest(SHOWN_COLUMNS).index
    names = [f"{name}, score {score:.1f}" for name, score in zip(worst[NAME], worst[SCORE], strict=True)]
    return plots.plot_heat_map(
        ratios[columns].clip(lower=SMALLEST_RATIO),
        names,
        list(columns),
        title=title,
        value="error of the column / its mean on validation rows",
        logarithmic=True,
        show_numbers=False,
    )
