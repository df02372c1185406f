"""Nodes that plot a GAN's learning curves, its samples and their metrics, and write its report."""

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from layerwise.data import DataSpec, ImageShape, Split, TensorData
from layerwise.data.preprocessing import LabelledPreprocessor, TableEncoding, decode
from layerwise.data.sources import CaptionConfig, Captions
from layerwise.evaluation import plots
from layerwise.evaluation.generative import (
    ColumnFidelity,
    RowFidelity,
    SampleMetrics,
    distances,
    nearest_distance,
)
from layerwise.evaluation.plots import (
    Animation,
    plot_class_fractions,
    plot_distance_histogram,
    plot_frames,
    plot_gan_curves,
)
from layerwise.evaluation.reports import gan_report, image_section, table_section, training_section
from layerwise.models.gan import Generator
from layerwise.pipelines.gan.nodes import sample
from layerwise.training.gan import ClassifierHistory, GANHistory, GANSettings
from layerwise.utils import torch_rng

SHOWN, SHOWN_OF_EACH, NEIGHBORS_SHOWN, MARGINAL_ROWS, DISTANCES_SHOWN = 100, 10, 8, 2000, 1000


def plot_learning_curves(history: GANHistory) -> Figure:
    """Plot value, losses, scores, gradients and sample metrics by epoch."""
    return plot_gan_curves(history.epochs)


def plot_samples(generator: Generator, conditions: TensorData, columns: DataSpec, seed: int) -> Figure:
    """Plot samples of a GAN of images."""
    rows = sample(generator, conditions.inputs, SHOWN, seed, "picture")
    return plots.plot_samples(rows, _image_shape(columns), title="Samples")


def plot_class_samples(generator: Generator, columns: DataSpec, seed: int) -> Figure:
    """Plot samples of a GAN of images, a line a class."""
    n = len(columns.class_names)
    condition = torch.eye(n).repeat_interleave(SHOWN_OF_EACH, dim=0)
    rows = generator.sample(len(condition), torch_rng(seed, "gan", "picture"), condition)
    lines = dict(zip(columns.class_names, rows.split(SHOWN_OF_EACH), strict=True))
    return plots.plot_image_rows(lines, _image_shape(columns), title="Samples by class")


def plot_captioned_samples(
    generator: Generator,
    conditions: TensorData,
    vocabulary: CaptionConfig,
    columns: DataSpec,
    settings: GANSettings,
    seed: int,
) -> Figure:
    """Plot samples of a GAN of images, a line a caption."""
    captions, rng = Captions(vocabulary), torch_rng(seed, "gan", "picture")
    codes, lines = _category_codes(conditions.inputs, captions), {}
    for caption in settings.captions:
        sampled = captions.sample(caption, codes, SHOWN_OF_EACH, rng)
        lines[caption] = generator.sample(SHOWN_OF_EACH, rng, captions.condition(sampled))
    return plots.plot_image_rows(lines, _image_shape(columns), title="Samples by caption")


def plot_sampled_marginals(
    generator: Generator,
    conditions: TensorData,
    encoding: TableEncoding,
    raw: pd.DataFrame,
    split: Split,
    seed: int,
) -> Figure:
    """Plot the distributions of a table's columns, of test rows and of synthetic ones."""
    rows = sample(generator, conditions.inputs, MARGINAL_ROWS, seed, "picture").numpy()
    generated, real = decode(rows, encoding), raw.iloc[split.test]
    shared = [name for name in generated if name in real]
    return plots.plot_marginals(real[shared], generated, title="Synthetic rows")


def _category_codes(conditions: torch.Tensor, captions: Captions) -> torch.Tensor:
    """Return codes (n, 3) of class, stroke and slant of conditions (n, c)."""
    parts = conditions.split([len(captions.config.class_names), 3, 3], dim=1)
    return torch.stack([part.argmax(1) for part in parts], dim=1)


def plot_sample_progress(animation: Animation) -> Figure:
    """Plot samples of fixed noise at several epochs, side by side."""
    return plot_frames(animation)


def plot_classes(
    sample_metrics: SampleMetrics, columns: DataSpec, baselines: SampleMetrics | None = None
) -> Figure:
    """Plot the fractions of the images' classes, by the classifier."""
    every = sample_metrics.root | ({} if baselines is None else baselines.root)
    fractions = {name: found.class_fractions for name, found in every.items() if name != "training mean"}
    return plot_class_fractions(fractions, columns.class_names)


def plot_target_classes(row_fidelity: RowFidelity, columns: DataSpec) -> Figure:
    """Plot the fractions of the target's classes among generated and real rows."""
    return plot_class_fractions(row_fidelity.classes, columns.class_names, xlabel="class")


def plot_memorization(
    generator: Generator, conditions: TensorData, training: TensorData, columns: DataSpec, seed: int
) -> Figure:
    """Plot generated images, each above its nearest training row."""
    samples = sample(generator, conditions.inputs, NEIGHBORS_SHOWN, seed, "memory").numpy().astype(np.float64)
    known = training.inputs.numpy()
    nearest = distances(samples, known.astype(np.float64)).argmin(1)
    lines = {"sample": samples, "nearest training row": known[nearest]}
    title = "Samples and their nearest training rows"
    return plots.plot_image_rows(lines, _image_shape(columns), title=title)


def plot_nearest_distances(
    generator: Generator,
    conditions: TensorData,
    encoding: TableEncoding,
    preprocessor: LabelledPreprocessor,
    training: TensorData,
    test: TensorData,
    seed: int,
) -> Figure:
    """Plot the distances of generated rows and of test rows to the nearest training row."""
    samples = sample(generator, conditions.inputs, DISTANCES_SHOWN, seed, "memory").numpy()
    generated = preprocessor.inputs(decode(samples, encoding)).astype(np.float64)
    known, new = (
        rows.numpy().astype(np.float64) for rows in (training.inputs, test.inputs[:DISTANCES_SHOWN])
    )
    return plot_distance_histogram(nearest_distance(generated, known), nearest_distance(new, known))


def write_image_report(
    sample_metrics: SampleMetrics,
    history: GANHistory,
    classifier_history: ClassifierHistory,
    baselines: SampleMetrics | None = None,
) -> str:
    """Return the report of a GAN of images, in Markdown."""
    every = sample_metrics.root | ({} if baselines is None else baselines.root)
    samples = image_section(every, classifier_history.validation_error)
    return gan_report(training_section(history.epochs, history.diagnoses, history.seconds), samples)


def write_table_report(
    column_fidelity: ColumnFidelity, row_fidelity: RowFidelity, history: GANHistory, columns: DataSpec
) -> str:
    """Return the report of a GAN of table rows, in Markdown."""
    samples = table_section(column_fidelity, row_fidelity, columns)
    return gan_report(training_section(history.epochs, history.diagnoses, history.seconds), samples)


def _image_shape(columns: DataSpec) -> ImageShape:
    assert columns.image_shape is not None
    return columns.image_shape
