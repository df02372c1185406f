"""Fine-tuning: back-propagation through the whole network, ending with the best weights on the validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from layerwise.checkpointing import Progress
from layerwise.data import DataSpec, ImageShape, Task, TensorData, rows_for_training
from layerwise.models import MLP
from layerwise.training.callbacks import (
    Callback,
    MaxSteps,
    MaxTime,
    best_epoch_callbacks,
    plateau_callbacks,
)
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError, Transform
from layerwise.training.supervised.backpropagation import Backpropagation
from layerwise.training.supervised.losses import check_targets, class_weight_tensor, resample, resolve_loss
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.training.transforms import make_batch_transform
from layerwise.utils import choose_device, torch_rng


def finetune(
    network: MLP,
    task: Task,
    training: TensorData,
    validation: TensorData,
    settings: FinetuningSettings,
    seed: int,
    freeze: bool = False,
    dynamic_binarization: bool = False,
    image_shape: ImageShape | None = None,
    callbacks: Sequence[Callback] = (),
    silent: bool = False,
    name: str = "fine-tuning",
) -> Progress:
    """Train the network in place; it ends with the weights of its best epoch on the validation rows.

    A batch larger than the labelled rows becomes one batch of all of them.

    Args:
        network: learns in place, and ends in evaluation mode.
        task: decides the loss.
        training: the rows that it learns from.
        validation: the rows that choose the best epoch.
        settings: how it learns.
        seed: of the run.
        freeze: train the head alone.
        dynamic_binarization: read each input as a probability and sample it anew for every batch.
        image_shape: of inputs that are images, which augmentation needs.
        callbacks: further ones, such as `LayerStatistics`; they come before those that restore the best weights.
        silent: report nothing; for a second network beside the run's own.
        name: of the network, for messages and checkpoints.

    Raises:
        TrainingError: the settings do not fit the task or the rows; the loss is not finite.
    """
    training = resample(training, settings.resampling, task, seed)
    batch_size = settings.effective_batch_size(len(training))
    check_settings_fit(network, task, training, settings, batch_size)
    plan = Backpropagation(
        network,
        task,
        settings,
        torch_rng(seed, "finetuning", "dropout", device=training.device),
        freeze=freeze,
        n_rows=len(training),
        class_weights=class_weight_tensor(settings.class_weights, task, training, network.config.n_outputs),
    )
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=batch_size,
        rng=torch_rng(seed, "finetuning", "order"),
        validation=validation,
        callbacks=[*callbacks, *_callbacks_by_settings(plan, settings)],
        transform=make_transform(settings, image_shape, dynamic_binarization, seed, training.device),
        name=name,
        monitor="validation/error",
        prefix="",
        quiet=silent,
    )
    network.requires_grad_(True).eval()
    return progress


def fit_network(
    network: MLP,
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: FinetuningSettings,
    seed: int,
    **options: Any,
) -> Progress:
    """Train the network in place as `finetune` does with these options, where it is fastest; it ends on the CPU."""
    device = finetuning_device(network, labelled, settings)
    progress = finetune(
        network.to(device),
        columns.task,
        rows_for_training(labelled, device),
        rows_for_training(validation, device),
        settings,
        seed,
        dynamic_binarization=columns.dynamic_binarization,
        image_shape=columns.image_shape,
        **options,
    )
    network.cpu()
    return progress


def finetuning_device(network: nn.Module, labelled: TensorData, settings: FinetuningSettings) -> torch.device:
    """Return where networks of this size are fine-tuned fastest, unless `compute.device` says where."""
    return choose_device(network, settings.effective_batch_size(len(labelled)), "fine-tuning")


def make_transform(
    settings: FinetuningSettings,
    image_shape: ImageShape | None,
    dynamic_binarization: bool,
    seed: int,
    device: torch.device,
) -> Transform | None:
    """Return what is done to the inputs of each batch by a network's own seed; None for nothing."""
    return make_batch_transform(
        settings.augmentation, image_shape, dynamic_binarization, seed, device, "finetuning", "finetuning"
    )


def check_settings_fit(
    network: MLP, task: Task, training: TensorData, settings: FinetuningSettings, batch_size: int
) -> None:
    """Raise a TrainingError unless the settings fit the task and the rows."""
    check_targets(resolve_loss(task, settings.loss), training)
    if settings.label_smoothing and task == "regression":
        raise TrainingError("finetuning.label_smoothing is for classes, and the task is regression")
    if settings.monitor_is_score and task not in ("multiclass", "binary"):
        raise TrainingError(
            f"finetuning.monitor: a {task} task has no {settings.monitor}; take validation/loss"
        )
    if network.config.normalization == "batch" and (batch_size == 1 or len(training) % batch_size == 1):
        raise TrainingError(
            f"mlp.normalization: batch needs 2 rows in every batch; {len(training)} rows in batches of "
            f"{batch_size} leave one alone: change finetuning.batch_size, or take layer"
        )


def _callbacks_by_settings(plan: Backpropagation, settings: FinetuningSettings) -> list[Callback]:
    """Return what keeps the best weights, lowers the rate on a plateau and stops, as far as the settings ask for it."""
    s = settings
    found: list[Callback] = []
    if s.keep_best_weights:
        found += best_epoch_callbacks(plan.network, s.monitor, s.patience, s.min_delta, s.monitor_is_score)
    found += plateau_callbacks(plan, s, s.monitor, s.min_delta, s.monitor_is_score)
    return [*found, *step_and_time_limits(s)]


def step_and_time_limits(settings: FinetuningSettings) -> list[Callback]:
    """Return what stops training after a number of steps and of minutes, as far as the settings limit them."""
    limits: list[Callback] = []
    if settings.max_steps is not None:
        limits.append(MaxSteps(settings.max_steps))
    if settings.max_minutes is not None:
        limits.append(MaxTime(settings.max_minutes))
    return limits
