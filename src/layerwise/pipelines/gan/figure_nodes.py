"""Nodes that plot a GAN's learning curves, its samples and their metrics."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from layerwise.data import DataSpec, Split, TensorData
from layerwise.data.preprocessing import TableEncoding, decode
from layerwise.data.sources import CaptionConfig, Captions
from layerwise.evaluation import plots
from layerwise.evaluation.generative import distances, nearest_distance
from layerwise.evaluation.plots import (
    plot_class_fractions,
    plot_distance_histogram,
    plot_frames,
    plot_gan_curves,
)
from layerwise.models.gan import Generator
from layerwise.pipelines.gan.nodes import sample
from layerwise.training.gan import GANSettings
from layerwise.utils import torch_rng

SHOWN, NEIGHBORS_SHOWN, MARGINAL_ROWS = 100, 8, 2000


def plot_learning_curves(gan_history: dict[str, Any]) -> Figure:
    """Plot value, losses, scores, gradients and sample metrics by epoch."""
    return plot_gan_curves(gan_history["epochs"])


def plot_samples(
    generator: Generator,
    conditions: TensorData,
    encoding: dict[str, Any],
    raw: Any,
    split: Split,
    columns: DataSpec,
    settings: GANSettings,
    seed: int,
) -> Figure:
    """Plot samples, a line a class or caption if the GAN is conditional; of a table the marginals of its columns."""
    training_conditions = conditions.inputs
    if columns.image_shape is None:
        generated = decode(
            sample(generator, training_conditions, MARGINAL_ROWS, seed, "picture").numpy(),
            TableEncoding(**encoding),
        )
        real = raw.iloc[split.test]
        return plots.plot_marginals(
            real[[name for name in generated if name in real]], generated, title="Synthetic rows"
        )
    rng = torch_rng(seed, "gan", "picture")
    if "captions" in encoding:
        captions = Captions(CaptionConfig(**encoding["captions"]))
        codes = _category_codes(training_conditions, captions)
        lines = {}
        for caption in settings.captions:
            sampled = captions.sample(caption, codes, 10, rng)
            lines[caption] = generator.sample(10, rng, captions.condition(sampled))
        return plots.plot_image_rows(lines, columns.image_shape, title="Samples by caption")
    if training_conditions.shape[1]:
        condition = torch.eye(training_conditions.shape[1]).repeat_interleave(10, dim=0)
        rows = generator.sample(len(condition), rng, condition)
        lines = {name: rows[10 * k : 10 * k + 10] for k, name in enumerate(columns.class_names)}
        return plots.plot_image_rows(lines, columns.image_shape, title="Samples by class")
    return plots.plot_samples(
        sample(generator, training_conditions, SHOWN, seed, "picture"), columns.image_shape, title="Samples"
    )


def _category_codes(conditions: torch.Tensor, captions: Captions) -> torch.Tensor:
    """Return codes (n, 3) of class, stroke and slant of conditions (n, c)."""
    parts = conditions.split([len(captions.config.class_names), 3, 3], dim=1)
    return torch.stack([part.argmax(1) for part in parts], dim=1)


def plot_sample_progress(animation: list[tuple[int, Any]]) -> Figure:
    """Plot samples of fixed noise at several epochs, side by side."""
    return plot_frames(animation)


def plot_classes(sample_metrics: dict[str, Any], columns: DataSpec) -> Figure:
    """Plot the fractions of the samples' classes, by the classifier; of a table by the generated target."""
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
    columns: DataSpec,
    seed: int,
) -> Figure:
    """Plot samples, each above its nearest training row; of a table the distances to the nearest one."""
    if columns.image_shape is None:
        rows = decode(
            sample(generator, conditions.inputs, 1000, seed, "memory").numpy(), TableEncoding(**encoding)
        )
        known = training.inputs.numpy().astype(np.float64)
        return plot_distance_histogram(
            nearest_distance(preprocessor.inputs(rows).astype(np.float64), known),
            nearest_distance(test.inputs[:1000].numpy().astype(np.float64), known),
        )
    samples = sample(generator, conditions.inputs, NEIGHBORS_SHOWN, seed, "memory").numpy().astype(np.float64)
    known = training.inputs.numpy()
    nearest = distances(samples, known.astype(np.float64)).argmin(1)
    lines = {"sample": samples, "nearest training row": known[nearest]}
    return plots.plot_image_rows(lines, columns.image_shape, title="Samples and their nearest training rows")
