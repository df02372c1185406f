"""The state of a stack of networks that train together: their parameters in one vector, and each one's history."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.models import Members, is_running_statistic
from layerwise.training.optim import make_optimizer
from layerwise.training.plan import TrainingError
from layerwise.training.supervised.finetuning import make_reduce_on_plateau
from layerwise.training.supervised.settings import FinetuningSettings


class NetworkStack:
    """The members that still train; their parameters are one vector, parameter by parameter, member by member."""

    def __init__(self, members: Members, settings: FinetuningSettings) -> None:
        self.names = [name for name, _ in members.layout]
        self.layout = [(name, shape) for name, shape in members.layout if not is_running_statistic(name)]
        self.settings = settings
        self.rows = list(range(len(members)))
        self._build(members.parts(members.flat_state.detach()), {})

    def _parts(self, vector: Tensor) -> dict[str, Tensor]:
        found, start, n = {}, 0, len(self.rows)
        for name, shape in self.layout:
            found[name] = vector[start : start + n * shape.numel()].view(n, *shape)
            start += n * shape.numel()
        return found

    def _build(self, parts: Mapping[str, Tensor], state: dict[str, Tensor]) -> None:
        # Running statistics are updated in place, not by the optimiser.
        self.statistics = {name: part.clone() for name, part in parts.items() if is_running_statistic(name)}
        self.vector = nn.Parameter(torch.cat([parts[name].reshape(-1) for name, _ in self.layout]))
        self.vector.grad = torch.zeros_like(self.vector)
        # Leaves share the vector's memory, so that one optimiser step moves all of them.
        self.leaves = {
            name: part.requires_grad_() for name, part in self._parts(self.vector.detach()).items()
        }
        for leaf, gradient in zip(self.leaves.values(), self._parts(self.vector.grad).values(), strict=True):
            leaf.grad = gradient
        self.optimizer = make_optimizer(self.settings, [self.vector])
        if state:
            self.optimizer.state[self.vector] = state
        self.weights = [
            leaf for name, leaf in self.leaves.items() if name.endswith("weight") and leaf.dim() == 3
        ]

    @property
    def parts(self) -> dict[str, Tensor]:
        """All parameters and running statistics by name, each (N, *shape)."""
        return self.leaves | self.statistics

    def member_state(self, position: int) -> Tensor:
        """Return one member's parameters and running statistics, in the order in which an `MLP` has them."""
        parts = self.parts
        return torch.cat([parts[name].detach()[position].reshape(-1) for name in self.names])

    def scale_updates(self, before: Tensor, factors: Tensor) -> None:
        """Multiply each member's update since the vector was `before` by its factor, (N,)."""
        for leaf, old in zip(self.leaves.values(), self._parts(before).values(), strict=True):
            shaped = factors.view(-1, *[1] * (leaf.dim() - 1))
            leaf.detach().copy_(old + shaped * (leaf.detach() - old))

    def gradient_norms(self) -> list[Tensor]:
        """Return the norm of each member's whole gradient, once for each parameter in its shape."""
        gradients = [cast(Tensor, leaf.grad) for leaf in self.leaves.values()]
        norms = torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients]).sum(0).sqrt()
        return [norms.view(-1, *[1] * (gradient.dim() - 1)) for gradient in gradients]

    def state_dict(self) -> dict[str, Tensor]:
        """Return which members still train, their parameters, and the optimiser's moments."""
        found = {"rows": torch.tensor(self.rows), "vector": self.vector.detach().clone()}
        moments = self.optimizer.state[self.vector]
        found |= {name: value.clone() for name, value in self.statistics.items()}
        return found | {f"optimizer.{name}": value.clone() for name, value in moments.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self.rows = state["rows"].tolist()
        prefix = "optimizer."
        moments = {k.removeprefix(prefix): v.clone() for k, v in state.items() if k.startswith(prefix)}
        statistics = {
            name: value
            for name, value in state.items()
            if is_running_statistic(name) and not name.startswith(prefix)
        }
        self._build(self._parts(state["vector"]) | statistics, moments)

    def keep_members(self, positions: list[int]) -> None:
        """Go on with the members at these positions only."""
        size, old = self.vector.shape, self.optimizer.state[self.vector]
        parts = {name: part.detach()[positions] for name, part in self.parts.items()}
        state = {
            name: torch.cat([part[positions].reshape(-1) for part in self._parts(value).values()])
            if value.shape == size
            else value
            for name, value in old.items()
        }
        self.rows = [self.rows[position] for position in positions]
        self._build(parts, state)


@dataclass
class StackHistory:
    """Each member's epochs, the best one, and why it stopped.

    Args:
        history: per member, one dict of metrics an epoch, as the loop gives them.
        best_epoch: per member, 0 without `keep_best_weights`.
        stopped: per member, why it stopped; empty when it did not.
        seconds: of training.
    """

    history: list[list[dict[str, float]]]
    best_epoch: list[int]
    stopped: list[str]
    seconds: float = 0.0


class MemberLearningRate:
    """A member's scale of the learning rate, which its own plateaus lower."""

    def __init__(self, settings: FinetuningSettings) -> None:
        self.learning_rate_scale = 1.0
        self.plateau = make_reduce_on_plateau(self, settings) if settings.schedule == "plateau" else None

    def state_tensor(self) -> Tensor:
        """Return the scale, the best value and the epochs since."""
        best, waited = (self.plateau.best, self.plateau.waited) if self.plateau else (math.inf, 0)
        return torch.tensor([self.learning_rate_scale, best, waited], dtype=torch.float64)

    def load_state_tensor(self, state: Tensor) -> None:
        """Go back to what `state_tensor()` returned."""
        self.learning_rate_scale, best, waited = state.tolist()
        if self.plateau:
            self.plateau.best, self.plateau.waited = best, int(waited)


@dataclass
class StackTrainingState:
    """Everything that changes while the members train, with the state that a checkpoint keeps of it."""

    stack: NetworkStack
    order_rngs: list[torch.Generator]
    dropout_rngs: list[torch.Generator]
    stack_history: StackHistory
    best: list[float]
    best_state: Tensor
    settings: FinetuningSettings
    learning_rates: list[MemberLearningRate]
    step: int = 0

    def record_epoch(self, progress: Progress, metrics: dict[str, list[float]], seeds: Sequence[int]) -> None:
        """Record each member's epoch, keep its best weights, and drop those that have stopped."""
        s, epoch, leaving = self.settings, progress.epoch, []
        sign = -1.0 if s.monitor_is_score else 1.0
        for position, k in enumerate(self.stack.rows):
            own = {name: values[position] for name, values in metrics.items()}
            if not all(math.isfinite(value) for value in own.values()):
                raise TrainingError(
                    f"the network of seed {seeds[k]} diverged in epoch {epoch}: lower finetuning.learning_rate, or "
                    "clip gradients"
                )
            self.stack_history.history[k].append({"epoch": float(epoch), **own})
            if plateau := self.learning_rates[k].plateau:
                plateau.on_epoch_end(progress, own)
            if not s.keep_best_weights:
                self.best_state[k] = self.stack.member_state(position)
                continue
            value = sign * own[s.monitor]
            if value < self.best[k] - s.min_delta:
                self.best[k], self.stack_history.best_epoch[k] = value, epoch
                self.best_state[k] = self.stack.member_state(position)
            elif s.patience is not None and epoch - self.stack_history.best_epoch[k] >= s.patience:
                self.stack_history.stopped[k] = self._reason(k)
                leaving.append(position)
        if len(leaving) == len(self.stack.rows):
            progress.stop = "every network has stopped"
        elif leaving:
            self.stack.keep_members(
                [position for position in range(len(self.stack.rows)) if position not in leaving]
            )

    def _reason(self, k: int) -> str:
        return f"no gain in {self.settings.monitor} since epoch {self.stack_history.best_epoch[k]}"

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of everything that learning changes; a member's history is NaN after it has stopped."""
        longest = max(len(history) for history in self.stack_history.history)
        names = self.stack_history.history[0][0] if longest else {}
        found = {
            f"history.{name}": torch.tensor(
                [
                    [epoch[name] for epoch in history] + [math.nan] * (longest - len(history))
                    for history in self.stack_history.history
                ],
                dtype=torch.float64,
            )
            for name in names
        }
        found |= {
            "order_rngs": torch.stack([each.get_state() for each in self.order_rngs]),
            "dropout_rngs": torch.stack([each.get_state() for each in self.dropout_rngs]),
            "best": torch.tensor(self.best, dtype=torch.float64),
            "best_epoch": torch.tensor(self.stack_history.best_epoch),
            "stopped": torch.tensor([bool(reason) for reason in self.stack_history.stopped]),
            "best_state": self.best_state.clone(),
            "step": torch.tensor(self.step),
            "learning_rates": torch.stack([each.state_tensor() for each in self.learning_rates]),
        }
        return found | {f"stack.{name}": value for name, value in self.stack.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        self.stack.load_state_dict(
            {k.removeprefix("stack."): v for k, v in state.items() if k.startswith("stack.")}
        )
        for rngs, name in ((self.order_rngs, "order_rngs"), (self.dropout_rngs, "dropout_rngs")):
            for rng, values in zip(rngs, state[name], strict=True):
                rng.set_state(values.clone())
        self.best, self.step = state["best"].tolist(), int(state["step"])
        self.stack_history.best_epoch[:] = state["best_epoch"].tolist()
        self.stack_history.stopped[:] = [
            self._reason(k) if each else "" for k, each in enumerate(state["stopped"])
        ]
        for rate, values in zip(self.learning_rates, state["learning_rates"], strict=True):
            rate.load_state_tensor(values)
        self.best_state.copy_(state["best_state"])
        names = [name for name in state if name.startswith("history.")]
        for k, history in enumerate(self.stack_history.history):
            columns = {name.removeprefix("history."): state[name][k].tolist() for name in names}
            epochs = [
                dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
            ]
            history[:] = [epoch for epoch in epochs if not math.isnan(epoch["epoch"])]
