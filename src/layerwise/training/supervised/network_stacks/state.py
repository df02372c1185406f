"""The state of a stack of networks that train together: their parameters in one vector, and each one's history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from layerwise.models import Members, is_running_statistic
from layerwise.training.callbacks import plateau_callbacks
from layerwise.training.optim import make_optimizer
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
        diverged: per member, the epoch in which a loss was not finite; 0 where none was.
        seconds: of training.
    """

    history: list[list[dict[str, float]]]
    best_epoch: list[int]
    stopped: list[str]
    diverged: list[int]
    seconds: float = 0.0

    def to_tensors(self) -> dict[str, Tensor]:
        """Return each metric as `history.<name>`, (N, epochs); NaN after a member has stopped."""
        longest = max(map(len, self.history))
        # A member that diverged in the first epoch has none.
        names = max(self.history, key=len)[0] if longest else {}
        return {
            f"history.{name}": torch.tensor(
                [
                    [epoch[name] for epoch in history] + [math.nan] * (longest - len(history))
                    for history in self.history
                ],
                dtype=torch.float64,
            )
            for name in names
        }

    def load_tensors(self, columns: Mapping[str, Tensor]) -> None:
        """Go back to the epochs that `to_tensors` was given, by the metrics' names."""
        for k, history in enumerate(self.history):
            own = {name: values[k].tolist() for name, values in columns.items()}
            epochs = [dict(zip(own, values, strict=True)) for values in zip(*own.values(), strict=True)]
            history[:] = [epoch for epoch in epochs if not math.isnan(epoch["epoch"])]


class MemberLearningRate:
    """A member's scale of the learning rate, which its own plateaus lower."""

    def __init__(self, settings: FinetuningSettings) -> None:
        self.learning_rate_scale = 1.0
        found = plateau_callbacks(
            self, settings, settings.monitor, settings.min_delta, settings.monitor_is_score
        )
        self.plateau = found[0] if found else None

    def state_tensor(self) -> Tensor:
        """Return the scale, the best value and the epochs since."""
        best, waited = (self.plateau.best, self.plateau.waited) if self.plateau else (math.inf, 0)
        return torch.tensor([self.learning_rate_scale, best, waited], dtype=torch.float64)

    def load_state_tensor(self, state: Tensor) -> None:
        """Go back to what `state_tensor()` returned."""
        self.learning_rate_scale, best, waited = state.tolist()
        if self.plateau:
            self.plateau.best, self.plateau.waited = best, int(waited)
