"""Nodes that train a GAN on a table's rows, and evaluate its synthetic rows."""

import logging
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from layerwise.data import DataError, DataSpec, PreprocessingSettings, Problem, Split, TensorData
from layerwise.data.preprocessing import (
    LabelledPreprocessor,
    TableEncoding,
    decode,
    derive_columns,
    encode_parts,
)
from layerwise.data.row_rules import RowRules, draw_by_rules
from layerwise.evaluation.generative import (
    ColumnFidelity,
    RowFidelity,
    compare_columns,
    compare_rows,
    frechet_distance_to,
)
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.plots import Animation, animate_points
from layerwise.evaluation.unsupervised import fit_pca
from layerwise.models import MLP
from layerwise.models.gan import Generator
from layerwise.pipelines.gan.nodes import COMPARED_ROWS, N_EXAMPLES, Trained, collect, sample_with
from layerwise.training.gan import (
    GANResult,
    GANSettings,
    predict_classes,
    train_table_gan as fit_table_gan,
)
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)


def encode_rows(
    raw: pd.DataFrame,
    split: Split,
    problem: Problem,
    preprocessing: PreprocessingSettings,
    settings: GANSettings,
    seed: int,
) -> tuple[TableEncoding, TensorData, TensorData]:
    """Encode a table's training and validation rows for a GAN; validation rows with unknown categories are left out."""
    if len(problem.targets) > 1:
        raise DataError(
            f"gan is for images and tables with at most one target, and this one has {len(problem.targets)}"
        )
    problem = problem.without_inputs(split.not_inputs)
    components = settings.table.components
    encoding, *parts = encode_parts(raw, split, problem, preprocessing, components, seed)
    training_rows, validation_rows = (TensorData(torch.from_numpy(part)) for part in parts)
    return encoding, training_rows, validation_rows


def train_table_gan(
    training: TensorData,
    validation: TensorData,
    encoding: TableEncoding,
    columns: DataSpec,
    settings: GANSettings,
    seed: int,
) -> Trained:
    """Train a GAN on encoded rows; the animation is in the plane of the real rows' first principal components."""
    size = settings.count_parameters(training.inputs.shape[1])
    device = choose_device(size, settings.batch_size, "gan")
    rows, held_out = training.inputs.to(device), validation.inputs.to(device)
    distance = frechet_distance_to(held_out[:COMPARED_ROWS])
    result = fit_table_gan(rows, held_out, encoding, columns, settings, seed, distance=distance)
    return collect(result, _animate_on_plane(result, rows))


def _animate_on_plane(result: GANResult, rows: Tensor) -> Animation:
    """Animate the samples over some real rows, on the first two principal components of the real ones."""
    real = rows[:1000].cpu().double()
    plane = fit_pca(real, 2)
    snapshots = [
        (epoch, plane.encode(samples.cpu().double()).numpy()) for epoch, samples in result.sample_history
    ]
    return animate_points(
        snapshots, plane.encode(real).numpy(), names=("first component", "second component")
    )


def sample_rows(
    generator: Generator,
    conditions: TensorData,
    encoding: TableEncoding,
    training: TensorData,
    preprocessor: LabelledPreprocessor,
    seed: int,
) -> tuple[pd.DataFrame, TensorData]:
    """Generate as many rows as there are training rows, in the original columns and preprocessed."""
    rules = preprocessor.data_spec.rules
    rows = _draw_rows(generator, conditions, encoding, rules, len(training), seed, "judge")
    inputs, targets = torch.from_numpy(preprocessor.inputs(rows)), None
    if preprocessor.data_spec.target_names:
        targets = torch.from_numpy(np.ascontiguousarray(preprocessor.targets(rows)))
    return rows, TensorData(inputs, targets)


def evaluate_columns(
    generated: pd.DataFrame, raw: pd.DataFrame, split: Split, problem: Problem
) -> tuple[ColumnFidelity, LoggedMetrics]:
    """Compare the columns of generated rows, and their associations, with those of the test rows."""
    frame = derive_columns(raw, problem)[list(generated)]
    test = frame.iloc[split.test].reset_index(drop=True)
    found = compare_columns(generated, frame.iloc[split.training], test)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/")


def evaluate_rows(
    generated: TensorData,
    training: TensorData,
    test: TensorData,
    columns: DataSpec,
    seed: int,
    classifier: MLP | None = None,
) -> tuple[RowFidelity, LoggedMetrics]:
    """Compare generated rows with test rows by detection and privacy, of a table with a target by utility too."""
    predict = None if classifier is None else partial(predict_classes, classifier)
    found = compare_rows(generated, training, test, columns, predict, seed)
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/")


def synthesize_rows(
    generator: Generator,
    conditions: TensorData,
    encoding: TableEncoding,
    preprocessor: Any,
    n: int | None,
    seed: int,
) -> pd.DataFrame:
    """Return n generated rows with cells like those of the training file; a few as an example if n is None."""
    n = n or N_EXAMPLES
    rows = _draw_rows(generator, conditions, encoding, preprocessor.data_spec.rules, n, seed, "synthesize")
    log.info("%d rows generated", len(rows))
    return preprocessor.reading.as_written(rows)


def _draw_rows(
    generator: Generator,
    conditions: TensorData,
    encoding: TableEncoding,
    rules: RowRules,
    n: int,
    seed: int,
    consumer: str,
) -> pd.DataFrame:
    """Return n generated rows in raw units that keep the rules; `consumer` names the random stream."""
    rng = torch_rng(seed, "gan", consumer)

    def draw(at: np.ndarray) -> pd.DataFrame:
        return decode(sample_with(generator, conditions.inputs, len(at), rng).numpy(), encoding)

    return draw_by_rules(rules, draw, n, seed)
