"""Train one restricted Boltzmann machine and monitor whether it learns the rows' distribution."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from layerwise.data import DataSpec, SparseTensorData, TensorData
from layerwise.data.transforms import make_dynamic_binarization
from layerwise.models.rbm import RBM, RBMConfig, has_pseudo_likelihood, label_block
from layerwise.models.rbm.units import VISIBLE, UnitBlock, UnitsError, unit_blocks
from layerwise.training.callbacks import (
    AverageWeights,
    Callback,
    best_epoch_callbacks,
    rbm_reconstruction_history,
)
from layerwise.training.greedy import PretrainingResult
from layerwise.training.loop import fit
from layerwise.training.rbm.compatibility import require_complete_rows, require_useful_settings
from layerwise.training.rbm.contrastive_divergence import ContrastiveDivergence
from layerwise.training.rbm.monitor import RatingsMonitor, RBMMonitor, TrainingRowsMonitor
from layerwise.training.rbm.rbm_settings import RBMTrainingSettings
from layerwise.training.rbm.starting import where_all_rows_lie
from layerwise.utils import torch_rng


def rbm_config(columns: DataSpec, settings: RBMTrainingSettings, n_classes: int = 0) -> RBMConfig:
    """Return the shape of an RBM for preprocessed rows, with label units at the end if there are classes.

    Raises:
        UnitsError: the columns do not fit the visible units asked for.
    """
    n_visible = columns.n_inputs + n_classes
    shared: dict[str, Any] = {
        "n_hidden": settings.n_hidden,
        "hidden": settings.hidden,
        "hidden_group_size": settings.hidden_group_size,
        "learn_variance": settings.learn_variance,
        "dropout": settings.dropout,
    }
    visible = settings.visible
    if visible == "auto":
        visible = next((name for name, units in VISIBLE.all().items() if units.suits(columns)), "mixed")
    units = VISIBLE.find(visible)
    if not n_classes and visible != "mixed":
        groups = tuple(block.stop - block.start for block in columns.blocks) if units.grouped else ()
        return RBMConfig(n_visible=n_visible, visible=visible, groups=groups, **shared)
    if visible != "mixed" and not units.in_blocks:
        raise UnitsError(f"label units cannot stand beside {visible}")
    blocks: tuple[UnitBlock, ...]
    if visible == "mixed" or units.grouped:
        blocks = unit_blocks(columns.blocks)
    else:
        blocks = (UnitBlock(kind=visible, size=columns.n_inputs),)
    if n_classes:
        blocks += (label_block(n_classes),)
    return RBMConfig(n_visible=n_visible, visible="mixed", blocks=blocks, **shared)


def _sample_rows(rows: TensorData | SparseTensorData, at_most: int, rng: torch.Generator) -> Tensor:
    picked = torch.randperm(len(rows), generator=rng, device=rng.device)[:at_most]
    return rows[picked].inputs


def _make_monitor(
    rbm: RBM,
    training: TensorData | SparseTensorData,
    validation: TensorData | SparseTensorData | None,
    settings: RBMTrainingSettings,
    rng: torch.Generator,
    ratings: RatingsMonitor | None,
) -> RBMMonitor:
    """Return what measures some training and validation rows; a UnitsError if it can't measure what is to choose."""
    n_rows = settings.pseudo_likelihood_rows if has_pseudo_likelihood(rbm) and not ratings else 0
    if settings.monitor and not (n_rows and validation is not None):
        raise UnitsError(f"{settings.monitor} is not measured here; leave monitor: null")
    seen = _sample_rows(training, 1000, rng)
    return RBMMonitor(rbm, seen, None if validation is None else _sample_rows(validation, 1000, rng), n_rows)


def _best_epoch(rbm: RBM, settings: RBMTrainingSettings, ratings: RatingsMonitor | None) -> list[Callback]:
    if ratings is not None:
        return best_epoch_callbacks(rbm, "validation/rmse", settings.patience)
    if settings.monitor is None:
        return []
    return best_epoch_callbacks(rbm, settings.monitor, settings.patience, higher_is_better=True)


def fit_rbm(
    rbm: RBM,
    training: TensorData | SparseTensorData,
    validation: TensorData | SparseTensorData | None,
    settings: RBMTrainingSettings,
    seed: int,
    *,
    dynamic_binarization: bool = False,
    name: str = "rbm",
    ratings: RatingsMonitor | None = None,
) -> PretrainingResult:
    """Train an RBM in place.

    Args:
        rbm: learns in place.
        training: inputs (n, n_visible); targets are not read.
        validation: rows that are evaluated and never learnt from.
        settings: how it learns.
        seed: of the run.
        dynamic_binarization: read each input as a probability and sample it anew for every batch.
        name: of the metrics and of the random streams.
        ratings: evaluates held-out ratings; the epoch of the least error is kept.

    Returns:
        Its history under `name`, and one training row's reconstructions at up to four epochs.

    Raises:
        UnitsError: rows or settings do not fit the units.
        TrainingError: a metric is not finite; the message names the epoch and the likely remedy.
    """
    require_useful_settings([rbm], settings)
    device = rbm.weight.device
    chosen = settings.with_learning_rate(settings.gaussian_learning_rate) if rbm.has_real_units else settings
    with where_all_rows_lie(rbm, training):
        rbm.initialize_from(training.inputs if isinstance(training, TensorData) else training.column_sums())
        if isinstance(training, TensorData):
            require_complete_rows(rbm, training.inputs, chosen)
    monitor = _make_monitor(rbm, training, validation, settings, torch_rng(seed, name, "watched"), ratings)
    reconstruction_history = rbm_reconstruction_history(rbm, monitor.samples["train"][0].clone())
    plan = ContrastiveDivergence(rbm, chosen, torch_rng(seed, name, "states", device=device))
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        rng=torch_rng(seed, name, "order"),
        validation=validation,
        callbacks=[
            TrainingRowsMonitor(plan, training),
            *([] if ratings is None else [ratings]),
            monitor,
            reconstruction_history,
            *_best_epoch(rbm, settings, ratings),
            *([AverageWeights(rbm, settings.averaged_epochs)] if settings.averaged_epochs else []),
        ],
        transform=make_dynamic_binarization(seed, device, name) if dynamic_binarization else None,
        name=name,
        # The curves of the network that a run is about stand under the same names in every pipeline.
        prefix="" if name == "rbm" else name,
        monitor="train/reconstruction",
    )
    return PretrainingResult(
        {name: progress.history}, reconstruction_history.entries, reconstruction_history.row, progress.seconds
    )
