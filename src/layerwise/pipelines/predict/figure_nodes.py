"""The figure of the rows of a file that are most unusual to a model."""

import logging

import torch
from matplotlib.figure import Figure

from layerwise.data.reading import ChunkedReader
from layerwise.evaluation import plots
from layerwise.inference import TrainedModel
from layerwise.inference.tasks import attribute_scores
from layerwise.pipelines.predict.unusual_rows import UnusualRows

SHOWN_COLUMNS = 12
# What adds less to a score has one color.
SMALLEST = 0.1
log = logging.getLogger(__name__)


def plot_unusual_rows(
    model: TrainedModel, rows: ChunkedReader, unusual_rows: UnusualRows
) -> Figure | list[Figure]:
    """Plot the rows of the highest anomaly score: of images the error picture, of a table what each column adds.

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
    """Plot what the columns add to the scores, the largest columns first."""
    contributions = attribute_scores(model, inputs).clip(lower=SMALLEST)
    columns = contributions.mean().nlargest(SHOWN_COLUMNS).index
    return plots.plot_heat_map(
        contributions[columns],
        captions,
        list(columns),
        title="The most unusual rows",
        value="fall of the score when the column has its typical value",
        logarithmic=True,
        show_numbers=False,
    )
