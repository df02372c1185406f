"""Train many small networks at once: one small network leaves the processor idle, and a stack of them does not."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from layerwise.checkpointing import Progress, ResumableTraining
from layerwise.data import Task, TensorData
from layerwise.models import (
    MLP,
    DropoutMasks,
    Members,
    MembersConfig,
    MLPConfig,
    members_forward,
    sample_dropout_masks,
)
from layerwise.training.optim import scheduled_learning_rate
from layerwise.training.plan import TrainingPlan, Transform
from layerwise.training.supervised.backpropagation import steps_planned
from layerwise.training.supervised.finetuning import check_settings_fit, step_and_time_limits
from layerwise.training.supervised.grid import MemberOverrides, Point
from layerwise.training.supervised.losses import class_weight_tensor, resolve_loss, row_loss, task_error
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.training.supervised.stack_state import (
    MemberLearningRate,
    NetworkStack,
    StackHistory,
    StackTrainingState,
)
from layerwise.training.transforms import make_batch_transform
from layerwise.utils import matmul_autocast, torch_rng


def train_network_stack(
    networks: Sequence[MLP],
    task: Task,
    training: TensorData,
    validation: TensorData,
    settings: FinetuningSettings,
    seeds: Sequence[int],
    points: Sequence[Point] | None = None,
    dynamic_binarization: bool = False,
    image_shape: tuple[int, int] | None = None,
) -> tuple[Members, StackHistory]:
    """Train networks of one shape together, each as `finetune` would train it alone with its seed.

    Each member has its own first weights, masks, row order, best epoch and early stop; one that stopped leaves the
    stack. Results agree up to rounding, which Adam and its relatives enlarge where a true gradient is 0: biases before
    batch normalisation drift in float32, alone as together, and not by the same amount.

    Args:
        networks: one for each seed, initialised; they are not changed.
        task: decides the loss.
        training: the rows that all of them learn from.
        validation: the rows that choose each one's best epoch.
        settings: how they learn.
        seeds: of the masks and the row orders.
        points: for each network, the settings that are its own (`layerwise.training.supervised.grid`); None: none are.
        dynamic_binarization: read each input as a probability and sample it anew for every batch.
        image_shape: height and width of inputs that are images, which augmentation needs.

    Raises:
        TrainingError: the settings do not fit the task or the rows; a loss is not finite.
    """
    shape = networks[0].config
    batch_size = settings.effective_batch_size(len(training))
    check_settings_fit(networks[0], task, training, settings, batch_size)
    loss = resolve_loss(task, settings.loss)
    members = Members(MembersConfig(shape=shape, seeds=tuple(seeds)), list(networks))
    weights = class_weight_tensor(settings.class_weights, task, training, shape.n_outputs)
    stack = NetworkStack(members, settings)
    overrides = MemberOverrides.from_points(points or [{}] * len(networks), settings, members.flat_state)
    n_batches = -(-len(training) // batch_size)
    planned = steps_planned(settings, settings.epochs, n_batches)
    device = training.inputs.device
    training_state = StackTrainingState(
        stack,
        order_rngs=[torch_rng(seed, "finetuning", "order") for seed in seeds],
        dropout_rngs=[torch_rng(seed, "finetuning", "dropout", device=device) for seed in seeds],
        stack_history=StackHistory([[] for _ in seeds], [0] * len(seeds), [""] * len(seeds)),
        best=[math.inf] * len(seeds),
        best_state=members.flat_state.detach().clone(),
        settings=settings,
        learning_rates=[MemberLearningRate(settings) for _ in seeds],
    )
    stack_history = training_state.stack_history
    transforms = [
        make_batch_transform(
            settings.augmentation, image_shape, dynamic_binarization, seed, device, "finetuning", "finetuning"
        )
        for seed in seeds
    ]
    progress = Progress("networks", cast(TrainingPlan, training_state), settings.epochs, n_batches)
    limits = step_and_time_limits(settings)
    resumable = ResumableTraining(
        progress, training_state, training_state.order_rngs[0], [*limits, *transforms], len(training)
    )
    finished = resumable.finished
    for each in limits:
        each.on_train_start(progress)
    resumable.restore()
    while progress.epoch < settings.epochs and not progress.stop:
        began = time.perf_counter()
        progress.epoch += 1
        own = overrides.for_members(
            stack.rows, [training_state.learning_rates[k].learning_rate_scale for k in stack.rows]
        )
        order = torch.stack(
            [torch.randperm(len(training), generator=training_state.order_rngs[k]) for k in stack.rows]
        ).to(device)
        totals: dict[str, Tensor] = {}
        seen = 0
        for index in order.split(batch_size, dim=1):
            rate = scheduled_learning_rate(settings, training_state.step, planned, n_batches)
            dropout_masks = sample_dropout_masks(
                shape, index.shape[1], [training_state.dropout_rngs[k] for k in stack.rows], training.inputs
            )
            batch = _batch(training, index, [transforms[k] for k in stack.rows])
            losses = _step(
                stack, shape, task, loss, batch, len(training), dropout_masks, settings, weights, rate, own
            )
            training_state.step += 1
            seen += index.shape[1]
            for name, values in losses.items():
                totals[name] = totals[name] + values if name in totals else values
            for each in limits:
                each.on_batch_end(progress)
            if progress.stop:
                break
        metrics = {f"train/{name}": (total / seen).tolist() for name, total in totals.items()}
        metrics |= _validation_metrics(stack, shape, task, loss, validation, settings)
        training_state.record_epoch(progress, metrics, seeds)
        progress.seconds += time.perf_counter() - began
        resumable.save_if_due()
    if not finished:
        resumable.mark_finished()
    for k in stack.rows:
        stack_history.stopped[k] = stack_history.stopped[k] or progress.stop
    stack_history.seconds = progress.seconds
    with torch.no_grad():
        members.flat_state.copy_(training_state.best_state)
    return members.eval(), stack_history


def _batch(
    training: TensorData, index: Tensor, transforms: Sequence[Transform | None]
) -> tuple[Tensor, Tensor]:
    """Return each member's own batch: inputs (N, rows, n_inputs), and targets one member after the other."""
    rows = training[index.reshape(-1)]
    assert rows.targets is not None
    inputs = rows.inputs.view(*index.shape, -1)
    changed = [change(own) for own, change in zip(inputs, transforms, strict=True) if change is not None]
    return torch.stack(changed) if changed else inputs, rows.targets


def _step(
    stack: NetworkStack,
    shape: MLPConfig,
    task: Task,
    loss: str,
    batch: tuple[Tensor, Tensor],
    n_training: int,
    dropout_masks: DropoutMasks | None,
    s: FinetuningSettings,
    weights: Tensor | None,
    rate: float,
    own: MemberOverrides,
) -> dict[str, Tensor]:
    """Update every member on its own batch; return sums by name, each (N,)."""
    inputs, targets = batch
    n, size = inputs.shape[:2]
    with matmul_autocast(s.precision, inputs.device):
        outputs = members_forward(shape, stack.parts, inputs, dropout_masks, learning=True).to(inputs.dtype)
    rows = _row_loss(loss, outputs.flatten(0, 1), targets, s, s.label_smoothing)
    if weights is not None:
        rows = rows * weights[targets.reshape(-1).long()]
    # Each member's cost is a mean over its own rows; their sum has each one's gradient in its own parameters.
    cost = rows.sum() / size
    found: dict[str, Tensor] = {}
    if own.penalized:
        added = torch.stack(
            [own.l1 * w.abs().sum((1, 2)) + own.l2 * w.square().sum((1, 2)) for w in stack.weights]
        ).sum(0) / (2 * n_training)
        cost = cost + added.sum()
        found["penalty"] = added.detach() * size
    gradient = cast(Tensor, stack.vector.grad)
    gradient.zero_()
    cost.backward()
    with torch.no_grad():
        if s.clip_value is not None:
            gradient.clamp_(-s.clip_value, s.clip_value)
        if s.clip_norm is not None:
            for leaf, norm in zip(stack.leaves.values(), stack.gradient_norms(), strict=True):
                cast(Tensor, leaf.grad).mul_((s.clip_norm / (norm + 1e-6)).clamp(max=1))
        if s.schedule != "constant" or s.warmup_epochs:
            stack.optimizer.param_groups[0]["lr"] = rate
        before = None if own.shared_learning_rate else stack.vector.detach().clone()
        stack.optimizer.step()
        if before is not None:
            stack.scale_updates(before, own.rate)
        if s.max_norm is not None:
            for weight in stack.weights[:-1]:
                norms = weight.norm(dim=2, keepdim=True)
                weight.mul_(torch.where(norms > s.max_norm, s.max_norm / (norms + 1e-7), 1.0))
        error = task_error(task, outputs.detach().flatten(0, 1), targets).view(n, size).sum(1)
        return {"loss": rows.detach().view(n, size).sum(1), **_scores(task, error, size), **found}


def _scores(task: Task, error: Tensor, size: int) -> dict[str, Tensor]:
    if task in ("multiclass", "binary"):
        return {"error": error, "accuracy": size - error}
    return {"error": error}


def _row_loss(
    loss: str, outputs: Tensor, targets: Tensor, s: FinetuningSettings, label_smoothing: float = 0.0
) -> Tensor:
    gamma = 2.0 if s.focal_gamma is None else s.focal_gamma
    return row_loss(loss, outputs, targets, label_smoothing, gamma, s.huber_delta or 1.0)  # type: ignore[arg-type]


def _validation_metrics(
    stack: NetworkStack,
    shape: MLPConfig,
    task: Task,
    loss: str,
    validation: TensorData,
    s: FinetuningSettings,
) -> dict[str, list[float]]:
    totals: dict[str, Tensor] = {}
    assert validation.targets is not None
    with torch.no_grad():
        for start in range(0, len(validation), 1000):
            part = validation[slice(start, start + 1000)]
            assert part.targets is not None
            n, size = len(stack.rows), len(part)
            outputs = members_forward(shape, stack.parts, part.inputs.expand(n, *part.inputs.shape))
            outputs = outputs.flatten(0, 1)
            targets = part.targets.repeat(n, *([1] * (part.targets.dim() - 1)))
            rows = _row_loss(loss, outputs, targets, s).view(n, size).sum(1)
            error = task_error(task, outputs, targets).view(n, size).sum(1)
            for name, values in {"loss": rows, **_scores(task, error, size)}.items():
                totals[name] = totals.get(name, torch.zeros_like(values)) + values
    return {f"validation/{name}": (total / len(validation)).tolist() for name, total in totals.items()}
