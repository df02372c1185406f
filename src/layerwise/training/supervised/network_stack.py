"""Many small networks at once: a small network leaves the machine idle, and a stack of them does not."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from layerwise.checkpointing.resume import Snapshots
from layerwise.checkpointing.state import Progress
from layerwise.data.tensors import Rows, Task
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.models.stack import Members, MembersConfig, Noise, draw_noise, members_forward
from layerwise.training.optim.schedules import scheduled_rate
from layerwise.training.plan import Trainee, Transform
from layerwise.training.supervised.backpropagation import steps_planned
from layerwise.training.supervised.finetuning import budget_of, check_fits
from layerwise.training.supervised.grid import Point, Variations
from layerwise.training.supervised.losses import class_weights, loss_of, row_loss, task_error
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.training.supervised.stack_state import Course, OwnRate, Stack, Together
from layerwise.training.transforms import batch_changes
from layerwise.utils.devices import products_in
from layerwise.utils.random_streams import generator_for


def train_many(
    networks: Sequence[MLP],
    task: Task,
    training: Rows,
    validation: Rows,
    settings: FinetuningSettings,
    seeds: Sequence[int],
    points: Sequence[Point] | None = None,
    fresh: bool = False,
    image_shape: tuple[int, int] | None = None,
) -> tuple[Members, Course]:
    """Train networks of one shape together, each as `finetune` would train it alone with its seed.

    Each member has its own start, masks, row order, best epoch and early stop; one that stopped leaves the stack.
    To rounding, which Adam and its kin enlarge where a true gradient is 0: biases before batch normalisation wander in
    float32, alone as together, each on a way of its own.

    Args:
        networks: one for each seed, in their first state; they are left as they are.
        task: decides the loss.
        training: the rows that all of them learn from.
        validation: the rows that choose each one's best epoch.
        settings: how they learn.
        seeds: of masks and orders.
        points: for each network, the settings that are its own (`layerwise.training.supervised.grid`); None: none are.
        fresh: read each input as a probability and draw it anew for every batch.
        image_shape: height and width of inputs that are pictures, which augmentation needs.

    Raises:
        TrainingError: the settings do not fit the task or the rows; a loss is not finite.
    """
    shape = networks[0].config
    batch_size = settings.rows_a_batch(len(training))
    check_fits(networks[0], task, training, settings, batch_size)
    loss = loss_of(task, settings.loss)
    members = Members(MembersConfig(shape=shape, seeds=tuple(seeds)), list(networks))
    weights = class_weights(settings.class_weights, task, training, shape.n_outputs)
    stack = Stack(members, settings)
    variations = Variations.of(points or [{}] * len(networks), settings, members.lines)
    n_batches = -(-len(training) // batch_size)
    planned = steps_planned(settings, settings.epochs, n_batches)
    device = training.inputs.device
    together = Together(
        stack,
        orders=[generator_for(seed, "finetuning", "order") for seed in seeds],
        masking=[generator_for(seed, "finetuning", "dropout", device=device) for seed in seeds],
        course=Course([[] for _ in seeds], [0] * len(seeds), [""] * len(seeds)),
        best=[math.inf] * len(seeds),
        kept=members.lines.detach().clone(),
        settings=settings,
        rates=[OwnRate(settings) for _ in seeds],
    )
    course = together.course
    changes = [
        batch_changes(settings.augmentation, image_shape, fresh, seed, device, "finetuning", "finetuning")
        for seed in seeds
    ]
    progress = Progress("networks", cast(Trainee, together), settings.epochs, n_batches)
    budget = budget_of(settings)
    snapshots = Snapshots(progress, together, together.orders[0], [*budget, *changes], len(training))
    finished = snapshots.finished
    for each in budget:
        each.on_train_begin(progress)
    snapshots.restore()
    while progress.epoch < settings.epochs and not progress.stop:
        began = time.perf_counter()
        progress.epoch += 1
        own = variations.at(stack.rows, [together.rates[k].rate_scale for k in stack.rows])
        order = torch.stack(
            [torch.randperm(len(training), generator=together.orders[k]) for k in stack.rows]
        ).to(device)
        totals: dict[str, Tensor] = {}
        seen = 0
        for index in order.split(batch_size, dim=1):
            rate = scheduled_rate(settings, together.step, planned, n_batches)
            noise = draw_noise(
                shape, index.shape[1], [together.masking[k] for k in stack.rows], training.inputs
            )
            batch = _batch(training, index, [changes[k] for k in stack.rows])
            losses = _step(
                stack, shape, task, loss, batch, len(training), noise, settings, weights, rate, own
            )
            together.step += 1
            seen += index.shape[1]
            for name, values in losses.items():
                totals[name] = totals[name] + values if name in totals else values
            for each in budget:
                each.on_batch_end(progress)
            if progress.stop:
                break
        metrics = {f"train/{name}": (total / seen).tolist() for name, total in totals.items()}
        metrics |= _measured(stack, shape, task, loss, validation, settings)
        together.judge(progress, metrics, seeds)
        progress.seconds += time.perf_counter() - began
        snapshots.epoch_ended()
    if not finished:
        snapshots.done()
    for k in stack.rows:
        course.stopped[k] = course.stopped[k] or progress.stop
    course.seconds = progress.seconds
    with torch.no_grad():
        members.lines.copy_(together.kept)
    return members.eval(), course


def _batch(training: Rows, index: Tensor, changes: Sequence[Transform | None]) -> tuple[Tensor, Tensor]:
    """Return each member's own batch: inputs (N, rows, n_inputs), and targets one member after the other."""
    rows = training[index.reshape(-1)]
    assert rows.targets is not None
    inputs = rows.inputs.view(*index.shape, -1)
    drawn = [change(own) for own, change in zip(inputs, changes, strict=True) if change is not None]
    return torch.stack(drawn) if drawn else inputs, rows.targets


def _step(
    stack: Stack,
    shape: MLPConfig,
    task: Task,
    loss: str,
    batch: tuple[Tensor, Tensor],
    n_training: int,
    noise: Noise | None,
    s: FinetuningSettings,
    weights: Tensor | None,
    rate: float,
    own: Variations,
) -> dict[str, Tensor]:
    """Update every member on its own batch; return sums by name, each (N,)."""
    inputs, targets = batch
    n, size = inputs.shape[:2]
    with products_in(s.precision, inputs.device):
        outputs = members_forward(shape, stack.parts, inputs, noise, learning=True).to(inputs.dtype)
    rows = _row_loss(loss, outputs.flatten(0, 1), targets, s, s.label_smoothing)
    if weights is not None:
        rows = rows * weights[targets.reshape(-1).long()]
    # Each member's cost is a mean over its own rows; their sum has each one's gradient in its own parameters.
    cost = rows.sum() / size
    found: dict[str, Tensor] = {}
    if own.penalised:
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
            stack.optimiser.param_groups[0]["lr"] = rate
        before = None if own.one_rate else stack.vector.detach().clone()
        stack.optimiser.step()
        if before is not None:
            stack.stretch_the_move(before, own.rate)
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


def _measured(
    stack: Stack, shape: MLPConfig, task: Task, loss: str, validation: Rows, s: FinetuningSettings
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
