"""Back-propagation for a stack of networks, as a training plan: a member stops alone and leaves the others."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from layerwise.checkpointing import Progress, Stateful
from layerwise.data import Task, TensorData
from layerwise.models import Members, members_forward, sample_dropout_masks
from layerwise.training.optim import (
    python_rates,
    reason_against_capture,
    scheduled_learning_rate,
    set_learning_rate,
)
from layerwise.training.plan import CapturablePlan, Losses, TrainingError, Transform
from layerwise.training.supervised.backpropagation import (
    loss_of_rows,
    losses_of_rows,
    steps_planned,
)
from layerwise.training.supervised.losses import resolve_loss, scores_of_rows
from layerwise.training.supervised.network_stacks.grid import MemberOverrides, Point
from layerwise.training.supervised.network_stacks.state import MemberLearningRate, NetworkStack, StackHistory
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils import matmul_autocast, torch_rng


class NetworkStackPlan(CapturablePlan):
    """Train each member on batches of its own; losses are (members, rows), of the members that still train.

    Each member has its own row order, masks, learning rate, history, best weights and early stop.

    Args:
        members: N networks with their seeds; they are not changed before `restore_best`.
        task: decides the loss.
        settings: how they learn.
        n_rows: m of the penalties' lambda/(2m), the number of training rows of a member. Where the loop has more rows,
            member k's own are those from k * n_rows on.
        class_weights: (classes,) weights of the rows' losses; None for equal ones.
        points: for each member, the settings that are its own.
        transforms: for each member, what is done to the inputs of its batches.
        may_diverge: a member that diverges leaves the others, unless it is the last one; otherwise it is an error.
    """

    def __init__(
        self,
        members: Members,
        task: Task,
        settings: FinetuningSettings,
        n_rows: int,
        class_weights: Tensor | None,
        points: Sequence[Point],
        transforms: Sequence[Transform | None],
        may_diverge: bool = False,
    ) -> None:
        self.members, self.shape, self.seeds = members, members.config.shape, members.config.seeds
        self.task, self.settings, self.n_rows = task, settings, n_rows
        self.loss, self.class_weights = resolve_loss(task, settings.loss), class_weights
        self.stack = NetworkStack(members, settings)
        self.overrides = MemberOverrides.from_points(points, settings, members.flat_state)
        self.transforms, self.may_diverge, n = transforms, may_diverge, len(members)
        self.random_transforms = {
            k: cast(Stateful, each) for k, each in enumerate(transforms) if hasattr(each, "state_dict")
        }
        device = members.flat_state.device
        self.rngs = {
            "order": [torch_rng(seed, "finetuning", "order") for seed in self.seeds],
            "dropout": [torch_rng(seed, "finetuning", "dropout", device=device) for seed in self.seeds],
        }
        self.learning_rates = [MemberLearningRate(settings) for _ in self.seeds]
        self.stack_history = StackHistory([[] for _ in self.seeds], [0] * n, [""] * n, [0] * n)
        self.best, self.best_state = [math.inf] * n, members.flat_state.detach().clone()
        self.steps_done, self.steps_planned, self.n_batches = 0, 1, 1
        self._own_key: Hashable = None

    def on_train_start(self, progress: Progress) -> None:
        """Stretch the schedule over the steps of all epochs, or over fewer if the settings stop sooner."""
        progress.n_batches = -(-self.n_rows // self.settings.effective_batch_size(self.n_rows))
        self.n_batches = progress.n_batches
        self.steps_planned = steps_planned(self.settings, progress.epochs, progress.n_batches)

    def on_epoch_start(self, epoch: int) -> None:
        """Gather what differs between the members that still train."""
        rows = self.stack.rows
        scales = [self.learning_rates[k].learning_rate_scale for k in rows]
        key = (tuple(rows), tuple(scales))
        if key != self._own_key:  # a captured step goes on reading the tensors of its own key
            self.own, self._own_key = self.overrides.for_members(rows, scales), key

    def epoch_order(self, n_rows: int) -> Tensor:
        """Return each member's own order of its rows, (members, rows)."""
        own = self.n_rows if n_rows > self.n_rows else 0
        return torch.stack(
            [
                k * own + torch.randperm(self.n_rows, generator=self.rngs["order"][k], device="cpu")
                for k in self.stack.rows
            ]
        )

    def prepare_step(self) -> Hashable:
        """Set the step's learning rate and count the step; members that leave and rates that fall are the key."""
        s = self.settings
        if s.schedule != "constant" or s.warmup_epochs:
            rate = scheduled_learning_rate(s, self.steps_done, self.steps_planned, self.n_batches)
            set_learning_rate(self.stack.optimizer, rate)
        self.steps_done += 1
        return self._own_key, python_rates(self.stack.optimizer)

    def update(self, batch: TensorData) -> Losses:
        """Update every member on its own rows of the batch; return loss, scores and penalty, each (members, rows).

        Args:
            batch: inputs (members, rows, n_inputs), targets (members, rows) or (members, rows, n_outputs).
        """
        assert batch.targets is not None
        s, n, size = self.settings, *batch.inputs.shape[:2]
        inputs, targets = self._transformed(batch.inputs), batch.targets.flatten(0, 1)
        masks = sample_dropout_masks(
            self.shape, size, [self.rngs["dropout"][k] for k in self.stack.rows], inputs
        )
        with matmul_autocast(s.precision, inputs.device):
            outputs = members_forward(self.shape, self.stack.parts, inputs, masks, learning=True)
        outputs = outputs.to(inputs.dtype).flatten(0, 1)
        rows = loss_of_rows(self.loss, outputs, targets, s, s.label_smoothing)
        if self.class_weights is not None:
            rows = rows * self.class_weights[targets.reshape(-1).long()]
        # Each member's cost is a mean over its own rows; their sum has each one's gradient in its own parameters.
        cost = batch.weighted(rows.view(n, size)).sum() / size
        losses = losses_of_rows(rows, self.loss, outputs, targets, s)
        losses |= scores_of_rows(self.task, outputs.detach(), targets)
        losses = {name: batch.weighted(values.view(n, size)) for name, values in losses.items()}
        if self.own.penalized:
            added = self._penalties()
            cost = cost + added.sum()
            losses["penalty"] = added.detach()[:, None].expand(n, size)
        self._update(cost)
        return losses

    def validation_step(self, batch: TensorData) -> Losses:
        """Return loss and scores of rows that all members read, each (members, rows)."""
        assert batch.targets is not None
        n, size = len(self.stack.rows), len(batch)
        with torch.no_grad():
            inputs = batch.inputs.expand(n, *batch.inputs.shape)
            outputs = members_forward(self.shape, self.stack.parts, inputs).flatten(0, 1)
            targets = batch.targets.repeat(n, *[1] * (batch.targets.dim() - 1))
            loss = loss_of_rows(self.loss, outputs, targets, self.settings)
            losses = {"loss": loss, **scores_of_rows(self.task, outputs, targets)}
        return {name: batch.weighted(values.view(n, size)) for name, values in losses.items()}

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, Tensor]) -> None:
        """Record each member's epoch, keep its best weights, and drop those that have stopped.

        Raises:
            TrainingError: a member's loss is not finite, and it may not diverge; or all have diverged.
        """
        leaving, columns = [], {name: values.tolist() for name, values in metrics.items()}
        for position, k in enumerate(self.stack.rows):
            own = {name: values[position] for name, values in columns.items()}
            if not all(math.isfinite(value) for value in own.values()):
                self._leave_diverged(k, progress.epoch)
                leaving.append(position)
                continue
            self.stack_history.history[k].append({"epoch": float(progress.epoch), **own})
            if plateau := self.learning_rates[k].plateau:
                plateau.on_epoch_end(progress, own)
            if self._stops(k, position, progress.epoch, own):
                self.stack_history.stopped[k] = self._reason(k)
                leaving.append(position)
        staying = [position for position in range(len(self.stack.rows)) if position not in leaving]
        if not staying:
            progress.stop = "every network has stopped"
        elif leaving:
            self.stack.keep_members(staying)

    def _leave_diverged(self, k: int, epoch: int) -> None:
        """Note that a member diverged; raise a TrainingError where it may not, or none is left."""
        history = self.stack_history
        history.diverged[k] = epoch
        history.stopped[k] = self._reason(k)
        if not self.may_diverge or all(history.diverged):
            raise TrainingError(
                f"the network of seed {self.seeds[k]} {history.stopped[k]}: lower finetuning.learning_rate, or clip "
                "gradients"
            )

    def restore_best(self) -> Members:
        """Return the members with each one's best weights, in evaluation mode."""
        with torch.no_grad():
            self.members.flat_state.copy_(self.best_state)
        return self.members.eval()

    def generators(self) -> Sequence[torch.Generator]:
        """Return the random generators of the members' masks and transforms."""
        transforms = [rng for each in self.transforms for rng in getattr(each, "rngs", ())]
        return [*self.rngs["dropout"], *transforms]

    def reason_against_capture(self) -> str:
        """Return why this optimizer's updates can't be captured; empty when they can."""
        return reason_against_capture(self.settings)

    def _transformed(self, inputs: Tensor) -> Tensor:
        changes = [each for k in self.stack.rows if (each := self.transforms[k]) is not None]
        if not changes:
            return inputs
        return torch.stack([change(own) for own, change in zip(inputs, changes, strict=True)])

    def _penalties(self) -> Tensor:
        """Return each member's penalties, (members,)."""
        own = self.own
        terms = [own.l1 * w.abs().sum((1, 2)) + own.l2 * w.square().sum((1, 2)) for w in self.stack.weights]
        return torch.stack(terms).sum(0) / (2 * self.n_rows)

    def _update(self, cost: Tensor) -> None:
        """Follow the gradient of the sum of the members' costs."""
        s, stack = self.settings, self.stack
        gradient = cast(Tensor, stack.vector.grad)
        gradient.zero_()
        cost.backward()
        with torch.no_grad():
            if s.clip_value is not None:
                gradient.clamp_(-s.clip_value, s.clip_value)
            if s.clip_norm is not None:
                for leaf, norm in zip(stack.leaves.values(), stack.gradient_norms(), strict=True):
                    cast(Tensor, leaf.grad).mul_((s.clip_norm / (norm + 1e-6)).clamp(max=1))
            before = None if self.own.shared_learning_rate else stack.vector.detach().clone()
            stack.optimizer.step()
            if before is not None:
                stack.scale_updates(before, self.own.rate)
            if s.max_norm is not None:
                for weight in stack.weights[:-1]:
                    norms = weight.norm(dim=2, keepdim=True)
                    weight.mul_(torch.where(norms > s.max_norm, s.max_norm / (norms + 1e-7), 1.0))

    def _stops(self, k: int, position: int, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Keep a member's weights if they are the ones to keep; return whether its patience is used up."""
        s, best_epoch = self.settings, self.stack_history.best_epoch
        if not s.keep_best_weights:
            self.best_state[k] = self.stack.member_state(position)
            return False
        value = -metrics[s.monitor] if s.monitor_is_score else metrics[s.monitor]
        if value < self.best[k] - s.min_delta:
            self.best[k], best_epoch[k] = value, epoch
            self.best_state[k] = self.stack.member_state(position)
            return False
        return s.patience is not None and epoch - best_epoch[k] >= s.patience

    def _reason(self, k: int) -> str:
        if self.stack_history.diverged[k]:
            return f"diverged in epoch {self.stack_history.diverged[k]}"
        return f"no gain in {self.settings.monitor} since epoch {self.stack_history.best_epoch[k]}"

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of everything that learning changes; a member's history is NaN after it has stopped."""
        stack_history = self.stack_history
        found = stack_history.to_tensors() | {
            "best": torch.tensor(self.best, dtype=torch.float64),
            "best_epoch": torch.tensor(stack_history.best_epoch),
            "diverged": torch.tensor(stack_history.diverged),
            "stopped": torch.tensor([bool(reason) for reason in stack_history.stopped]),
            "best_state": self.best_state.clone(),
            "steps_done": torch.tensor(self.steps_done),
            "learning_rates": torch.stack([each.state_tensor() for each in self.learning_rates]),
        }
        for name, rngs in self.rngs.items():
            found[f"rng.{name}"] = torch.stack([rng.get_state() for rng in rngs])
        for k, transform in self.random_transforms.items():
            found |= {f"transform.{k}.{name}": value for name, value in transform.state_dict().items()}
        return found | {f"stack.{name}": value for name, value in self.stack.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""

        def below(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): value for k, value in state.items() if k.startswith(prefix)}

        self.stack.load_state_dict(below("stack."))
        for name, rngs in self.rngs.items():
            for rng, values in zip(rngs, state[f"rng.{name}"], strict=True):
                rng.set_state(values.clone())
        for k, transform in self.random_transforms.items():
            transform.load_state_dict(below(f"transform.{k}."))
        self.best, self.steps_done = state["best"].tolist(), int(state["steps_done"])
        self.best_state.copy_(state["best_state"])
        for rate, values in zip(self.learning_rates, state["learning_rates"], strict=True):
            rate.load_state_tensor(values)
        self.stack_history.load_tensors(below("history."))
        self.stack_history.best_epoch[:] = state["best_epoch"].tolist()
        self.stack_history.diverged[:] = state["diverged"].tolist()
        self.stack_history.stopped[:] = [
            self._reason(k) if each else "" for k, each in enumerate(state["stopped"])
        ]
