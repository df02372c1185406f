"""Draw the game, its samples, and what they are worth."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from layerwise.data.preprocessing.table_encoding import TableEncoding, decode
from layerwise.data.sources.captions import CaptionConfig, Captions
from layerwise.data.tensors import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.generative.sample_quality import distances, nearest_distance
from layerwise.evaluation.plots.gan import (
    plot_class_fractions,
    plot_distance_histogram,
    plot_frames,
    plot_gan_curves,
)
from layerwise.models.gan.generator import Generator
from layerwise.pipelines.gan.nodes import sample
from layerwise.training.gan.settings import GANSettings
from layerwise.utils.random_streams import torch_rng

SHOWN, NEIGHBORS_SHOWN, MARGINAL_ROWS = 100, 8, 2000


def plot_learning_curves(gan_history: dict[str, Any]) -> Figure:
    """Draw value, losses, scores and gradients of both players by epoch."""
    return plot_gan_curves(gan_history["epochs"])


def plot_samples(
    generator: Generator,
    conditions: TensorData,
    encoding: dict[str, Any],
    raw: Any,
    split: dict[str, list[int]],
    data_spec: dict[str, Any],
    settings: GANSettings,
    seed: int,
) -> Figure:
    """Draw samples, a line a class or a caption where the generator is told one; of a table each column's values."""
    columns, known = DataSpec(**data_spec), conditions.inputs
    if columns.image_shape is None:
        made = decode(
            sample(generator, known, MARGINAL_ROWS, seed, "picture").numpy(), TableEncoding(**encoding)
        )
        real = raw.iloc[split["test"]]
        return plots.plot_marginals(
            real[[name for name in made if name in real]], made, title="Synthetic rows"
        )
    rng = torch_rng(seed, "gan", "picture")
    if "captions" in encoding:
        captions = Captions(CaptionConfig(**encoding["captions"]))
        codes = _category_codes(known, captions)
        lines = {}
        for caption in settings.captions:
            drawn = captions.sample(caption, codes, 10, rng)
            lines[caption] = generator.sample(10, rng, captions.condition(drawn))
        return plots.plot_image_rows(lines, columns.image_shape, title="Pictures by their captions")
    if known.shape[1]:
        condition = torch.eye(known.shape[1]).repeat_interleave(10, dim=0)
        rows = generator.sample(len(condition), rng, condition)
        lines = {name: rows[10 * k : 10 * k + 10] for k, name in enumerate(columns.class_names)}
        return plots.plot_image_rows(lines, columns.image_shape, title="Samples by class")
    return plots.plot_samples(
        sample(generator, known, SHOWN, seed, "picture"), columns.image_shape, title="Samples"
    )


def _category_codes(known: torch.Tensor, captions: Captions) -> torch.Tensor:
    """Return class, stroke and slant of known conditions."""
    parts = known.split([len(captions.config.class_names), 3, 3], dim=1)
    return torch.stack([part.argmax(1) for part in parts], dim=1)


def plot_sample_progress(animation: list[tuple[int, Any]]) -> Figure:
    """Draw samples of the same noise at stages of training, side by side."""
    return plot_frames(animation)


def plot_classes(sample_metrics: dict[str, Any], data_spec: dict[str, Any]) -> Figure:
    """Draw the classifier's histogram of the samples' classes; of a table the classes as they are written."""
    columns = DataSpec(**data_spec)
    if columns.image_shape is None:
        if "classes" not in sample_metrics:
            return plots.plot_note("A regression has no classes; see the marginals.")
        return plot_class_fractions(sample_metrics["classes"], columns.class_names, xlabel="class")
    fractions = {
        name: found["class_fractions"] for name, found in sample_metrics.items() if name != "training mean"
    }
    return plot_class_fractions(fractions, columns.class_names)


def plot_memorization(
    generator: Generator,
    conditions: TensorData,
    encoding: dict[str, Any],
    preprocessor: Any,
    training: TensorData,
    test: TensorData,
    data_spec: dict[str, Any],
    seed: int,
) -> Figure:
    """Draw samples, each above its nearest training row; of a table the distances to the nearest one."""
    columns = DataSpec(**data_spec)
    if columns.image_shape is None:
        rows = decode(
            sample(generator, conditions.inputs, 1000, seed, "memory").numpy(), TableEncoding(**encoding)
        )
        known = training.inputs.numpy().astype(np.float64)
        between = nearest_distance(preprocessor.inputs(rows).astype(np.float64), known)
        return plot_distance_histogram(
            between, nearest_distance(test.inputs[:1000].numpy().astype(np.float64), known)
        )
    made = sample(generator, conditions.inputs, NEIGHBORS_SHOWN, seed, "memory").numpy().astype(np.float64)
    known = training.inputs.numpy()
    nearest = distances(made, known.astype(np.float64)).argmin(1)
    lines = {"sample": made, "nearest training row": known[nearest]}
    return plots.plot_image_rows(
        lines, columns.image_shape, title="Samples and the training rows next to them"
    )
