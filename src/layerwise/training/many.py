"""Many small networks at once: a small network leaves the machine idle, and a stack of them does not."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from layerwise.data.rows import Rows, Task
from layerwise.models.dropout import Dropout
from layerwise.models.members import Members, MembersConfig, members_forward
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.seeding import generator_for
from layerwise.training.backpropagation import scheduled_rate
from layerwise.training.finetuning_settings import FinetuningSettings
from layerwise.training.grid import Point, Variations
from layerwise.training.loop import Progress, Trainee, TrainingError
from layerwise.training.losses import check_targets, class_weights, loss_of, row_loss, task_error
from layerwise.training.many_stack import Course, Stack, Together
from layerwise.training.snapshots import Snapshots


def refuse_what_members_cannot(
    shape: MLPConfig, settings: FinetuningSettings, pictures_are_changed: bool
) -> None:
    """Raise a TrainingError for settings that many networks at once do not know."""
    unknown = {
        "mlp.normalisation": shape.normalisation != "none",
        "finetuning.dropconnect": shape.dropconnect > 0,
        "finetuning.precision: bfloat16": settings.precision != "float32",
        "finetuning.schedule: plateau": settings.schedule == "plateau",
        "finetuning.max_steps": settings.max_steps is not None,
        "finetuning.max_minutes": settings.max_minutes is not None,
        "augmentation or fresh binarisation": pictures_are_changed,
    }
    wrong = [name for name, is_set in unknown.items() if is_set]
    if wrong:
        raise TrainingError(
            f"seeds above 1 trains networks together, without {', '.join(wrong)}; set seeds: 1"
        )


def train_many(
    networks: Sequence[MLP],
    task: Task,
    training: Rows,
    validation: Rows,
    settings: FinetuningSettings,
    seeds: Sequence[int],
    points: Sequence[Point] | None = None,
) -> tuple[Members, Course]:
    """Train networks of one shape together, each as `finetune` would train it alone with its seed.

    Each member has its own start, masks, row order, best epoch and early stop; one that stopped leaves the stack.

    Args:
        networks: one for each seed, in their first state; they are left as they are.
        task: decides the loss.
        training: the rows that all of them learn from.
        validation: the rows that choose each one's best epoch.
        settings: how they learn.
        seeds: of masks and orders.
        points: for each network, the settings that are its own (`layerwise.training.grid`); None: none are.

    Raises:
        TrainingError: a setting that is not for many networks, or a loss that is not finite.
    """
    shape = networks[0].config
    refuse_what_members_cannot(shape, settings, bool(settings.augmentation.chosen))
    loss = loss_of(task, settings.loss)
    check_targets(loss, training)
    members = Members(MembersConfig(shape=shape, seeds=tuple(seeds)), list(networks))
    weights = class_weights(settings.class_weights, task, training, shape.n_outputs)
    stack = Stack(members, settings)
    variations = Variations.of(points or [{}] * len(networks), settings, members.lines)
    batch_size = settings.rows_a_batch(len(training))
    n_batches = -(-len(training) // batch_size)
    device = training.inputs.device
    rates = [cast(Dropout, dropout).rate for dropout in networks[0].dropouts]
    together = Together(
        stack,
        orders=[generator_for(seed, "finetuning", "order") for seed in seeds],
        masking=[generator_for(seed, "finetuning", "dropout", device=device) for seed in seeds],
        course=Course([[] for _ in seeds], [0] * len(seeds), [""] * len(seeds)),
        best=[math.inf] * len(seeds),
        kept=members.lines.detach().clone(),
        settings=settings,
    )
    course = together.course
    progress = Progress("networks", cast(Trainee, together), settings.epochs, n_batches)
    snapshots = Snapshots(progress, together, together.orders[0], [], len(training))
    finished = snapshots.finished
    snapshots.restore()
    while progress.epoch < settings.epochs and not progress.stop:
        began = time.perf_counter()
        progress.epoch += 1
        own = variations.at(stack.rows)
        order = torch.stack(
            [torch.randperm(len(training), generator=together.orders[k]) for k in stack.rows]
        ).to(device)
        totals: dict[str, Tensor] = {}
        for index in order.split(batch_size, dim=1):
            rate = scheduled_rate(settings, together.step, settings.epochs * n_batches, n_batches)
            drawing = [together.masking[k] for k in stack.rows]
            masks = _masks(rates, shape, index.shape[1], drawing, training.inputs)
            losses = _step(stack, shape, task, loss, training, index, masks, settings, weights, rate, own)
            together.step += 1
            for name, values in losses.items():
                totals[name] = totals[name] + values if name in totals else values
        metrics = {f"train/{name}": (total / len(training)).tolist() for name, total in totals.items()}
        metrics |= _measured(stack, shape, task, loss, validation, settings)
        together.judge(progress, metrics, seeds)
        progress.seconds += time.perf_counter() - began
        snapshots.epoch_ended()
    if not finished:
        snapshots.done()
    course.seconds = progress.seconds
    with torch.no_grad():
        members.lines.copy_(together.kept)
    return members.eval(), course


def _masks(
    rates: Sequence[float], shape: MLPConfig, n: int, generators: Sequence[torch.Generator], like: Tensor
) -> list[Tensor | None] | None:
    """Draw each member's masks from its own generator, in the order in which an `MLP` draws them."""
    if not any(rates):
        return None
    sizes = (shape.n_inputs, *shape.hidden_sizes)
    layers: list[Dropout] = [Dropout(rate) for rate in rates]
    ones = [like.new_ones(n, size) for size in sizes]
    drawn: list[list[Tensor]] = [[] for _ in rates]
    for generator in generators:
        for layer, one, found in zip(layers, ones, drawn, strict=True):
            layer.generator = generator
            found.append(layer(one))
    return [torch.stack(found) if rate else None for rate, found in zip(rates, drawn, strict=True)]


def _step(
    stack: Stack,
    shape: MLPConfig,
    task: Task,
    loss: str,
    training: Rows,
    index: Tensor,
    masks: list[Tensor | None] | None,
    s: FinetuningSettings,
    weights: Tensor | None,
    rate: float,
    own: Variations,
) -> dict[str, Tensor]:
    """Update every member on its own batch, the rows `index` (N, rows); return sums by name, each (N,)."""
    n, size = index.shape
    assert training.targets is not None
    flat = index.reshape(-1)
    targets = training.targets.index_select(0, flat)
    inputs = training.inputs.index_select(0, flat).view(n, size, -1)
    outputs = members_forward(shape, stack.leaves, inputs, masks)
    rows = _row_loss(loss, outputs.flatten(0, 1), targets, s, s.label_smoothing)
    if weights is not None:
        rows = rows * weights[targets.reshape(-1).long()]
    # Each member's cost is a mean over its own rows; their sum has each one's gradient in its own parameters.
    cost = rows.sum() / size
    found: dict[str, Tensor] = {}
    if own.penalised:
        added = torch.stack(
            [own.l1 * w.abs().sum((1, 2)) + own.l2 * w.square().sum((1, 2)) for w in stack.weights]
        ).sum(0) / (2 * len(training))
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
            outputs = members_forward(shape, stack.leaves, part.inputs.expand(n, *part.inputs.shape)).flatten(
                0, 1
            )
            targets = part.targets.repeat(n, *([1] * (part.targets.dim() - 1)))
            rows = _row_loss(loss, outputs, targets, s).view(n, size).sum(1)
            error = task_error(task, outputs, targets).view(n, size).sum(1)
            for name, values in {"loss": rows, **_scores(task, error, size)}.items():
                totals[name] = totals.get(name, torch.zeros_like(values)) + values
    return {f"validation/{name}": (total / len(validation)).tolist() for name, total in totals.items()}
