"""Networks trained together, of several seeds at each point of a grid, and the choice of the best point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from layerwise.data import DataSpec, TensorData
from layerwise.models import MLP, Members, MembersConfig
from layerwise.training.plan import TrainingError
from layerwise.training.supervised.history import FinetuningHistory, GridPoint, MemberHistory
from layerwise.training.supervised.network_stacks.grid import Point, rank_points
from layerwise.training.supervised.network_stacks.state import StackHistory
from layerwise.training.supervised.network_stacks.train import train_network_stack
from layerwise.training.supervised.settings import FinetuningSettings


@dataclass(frozen=True)
class GridResult:
    """Trained networks, in the order of the points and within a point of the seeds.

    Args:
        networks: trained, all of one shape.
        seeds: each network's.
        points: the grid; none for one setting.
        history: of all networks.
        settings: of all but what the points name.
    """

    networks: Members
    seeds: Sequence[int]
    points: Sequence[Point]
    history: StackHistory
    settings: FinetuningSettings

    @cached_property
    def ranking(self) -> list[dict[str, Any]]:
        """The points with mean and standard deviation of their validation scores, the best one first."""
        if not self.points:
            return []
        return rank_points(self.points, self._scores(), self.settings.monitor_is_score)

    @property
    def chosen(self) -> range:
        """The positions of the best point's networks."""
        n_seeds = len(self.seeds) // max(1, len(self.points))
        first = self.ranking[0]["index"] * n_seeds if self.ranking else 0
        return range(first, first + n_seeds)

    def members(self) -> Members:
        """Return the best point's networks, in evaluation mode."""
        chosen = [self.networks.member(k) for k in self.chosen]
        config = MembersConfig(shape=chosen[0].config, seeds=tuple(self.seeds[k] for k in self.chosen))
        device = next(self.networks.parameters()).device
        return Members(config, chosen).to(device).eval()

    def finetuning_history(self) -> FinetuningHistory:
        """Return the epochs of the first chosen network, and how all of the chosen ones ended."""
        of, first = self.history, self.chosen[0]
        members = [
            MemberHistory(
                seed=self.seeds[k],
                epochs=len(of.history[k]),
                best_epoch=of.best_epoch[k],
                stopped=of.stopped[k],
            )
            for k in self.chosen
        ]
        points = [
            GridPoint(
                settings=each["settings"],
                mean=None if each["diverged"] else each["mean"],
                std=each["std"],
                diverged=each["diverged"],
            )
            for each in self.ranking
        ]
        return FinetuningHistory(
            epochs=tuple(of.history[first]),
            stopped=of.stopped[first],
            seconds=of.seconds,
            best_epoch=of.best_epoch[first],
            members=tuple(members),
            grid=tuple(points),
            monitor=self.settings.monitor,
        )

    def mean_epochs(self) -> list[dict[str, float]]:
        """Return the means of all metrics over the chosen networks that still learn, epoch by epoch."""
        histories = [self.history.history[k] for k in self.chosen]
        found = []
        for epoch in range(max(map(len, histories))):
            running = [history[epoch] for history in histories if epoch < len(history)]
            names = [name for name in running[0] if "/" in name]
            found.append({name: sum(each[name] for each in running) / len(running) for name in names})
        return found

    def __str__(self) -> str:
        if not self.ranking:
            return f"{len(self.seeds)} networks trained together"
        best = self.ranking[0]
        shown = ", ".join(f"{name} {value:g}" for name, value in best["settings"].items())
        n_diverged = sum(bool(each["diverged"]) for each in self.ranking)
        diverged = f"; networks of {n_diverged} points diverged" if n_diverged else ""
        return (
            f"The grid's best of {len(self.points)} points by {self.settings.monitor}: {shown} "
            f"({best['mean']:.4f}){diverged}"
        )

    def _scores(self) -> list[list[float]]:
        """Return the scores of each point's members, of the epoch that was kept; infinite where one diverged."""
        worst = -math.inf if self.settings.monitor_is_score else math.inf
        found = []
        for k, history in enumerate(self.history.history):
            # Without `keep_best_weights` there is no best epoch, and the last one is kept.
            kept = self.history.best_epoch[k] - 1
            found.append(worst if self.history.diverged[k] else history[kept][self.settings.monitor])
        n_seeds = len(self.seeds) // len(self.points)
        return [found[start : start + n_seeds] for start in range(0, len(found), n_seeds)]


def train_grid(
    networks: Sequence[MLP],
    seeds: Sequence[int],
    points: Sequence[Point],
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: FinetuningSettings,
) -> GridResult:
    """Train networks of one shape together, those of every seed at each point.

    Args:
        networks: initialised, on the device of the rows; the first point's first.
        seeds: each network's.
        points: of the grid; none for one setting.
        labelled: the rows that all of them learn from.
        validation: the rows that choose each one's best epoch, and the point.
        columns: what the rows are.
        settings: how they learn.

    Raises:
        TrainingError: the settings do not fit the task or the rows; without points a loss is not finite, or with points
            one is not finite at each of them.
    """
    n_seeds = len(networks) // max(1, len(points))
    trained, history = train_network_stack(
        networks,
        columns.task,
        labelled,
        validation,
        settings,
        seeds,
        [point for point in points for _ in range(n_seeds)] or None,
        dynamic_binarization=columns.dynamic_binarization,
        image_shape=columns.image_shape,
    )
    found = GridResult(trained, seeds, points, history, settings)
    if points and found.ranking[0]["diverged"]:
        raise TrainingError(
            "at every point of the grid a network diverged: lower grid.learning_rate, or clip gradients"
        )
    return found
