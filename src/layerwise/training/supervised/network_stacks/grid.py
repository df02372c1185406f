"""Several values of a setting tried at once, each by networks of every seed in one stack."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from pydantic import model_validator
from torch import Tensor

from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils import Config, setting

Point = dict[str, float]


class GridSettings(Config):
    """Values to try of what may differ between networks that train together; each combination is a point."""

    learning_rate: tuple[float, ...] = setting(
        (), "rates to try, each with every value of the others", "0.01, 0.003, 0.001", "dbn, sae"
    )
    l1: tuple[float, ...] = setting((), "lambdas of the L1 penalty to try", "0, 1, 10", "dbn, sae")
    l2: tuple[float, ...] = setting((), "lambdas of the L2 penalty to try", "0, 1, 10", "dbn, sae")

    @model_validator(mode="after")
    def _values_are_right(self) -> GridSettings:
        for name, values in self._given().items():
            if any(value < 0 or (value == 0 and name == "learning_rate") for value in values):
                raise ValueError(f"grid.{name} holds {min(values)}, which finetuning.{name} does not take")
            if len(set(values)) < len(values):
                raise ValueError(f"grid.{name} names a value twice")
        return self

    def _given(self) -> dict[str, tuple[float, ...]]:
        return {name: values for name in type(self).model_fields if (values := getattr(self, name))}

    def points(self) -> list[Point]:
        """Return every combination as finetuning settings; none if no value is given."""
        given = self._given()
        if not given:
            return []
        return [dict(zip(given, values, strict=True)) for values in product(*given.values())]


@dataclass(frozen=True)
class MemberOverrides:
    """What differs between the members of a stack.

    Every optimiser here moves the weights in proportion to the learning rate, so a member's own rate is a factor of
    its update.

    Args:
        rate: (N,) factors of the learning rate.
        l1: (N,) lambdas of sum |w|.
        l2: (N,) lambdas of sum w^2.
        shared_learning_rate: all members share the settings' learning rate.
        penalized: a member has a penalty.
    """

    rate: Tensor
    l1: Tensor
    l2: Tensor
    shared_learning_rate: bool
    penalized: bool

    @classmethod
    def from_points(
        cls, points: Sequence[Point], settings: FinetuningSettings, like: Tensor
    ) -> MemberOverrides:
        """Return the overrides of one point a member; what a point does not name is as in the settings."""

        def column(name: str) -> Tensor:
            return like.new_tensor([point.get(name, getattr(settings, name)) for point in points])

        rate, l1, l2 = column("learning_rate") / settings.learning_rate, column("l1"), column("l2")
        return cls(rate, l1, l2, bool((rate == 1).all()), bool((l1 != 0).any() or (l2 != 0).any()))

    def for_members(self, rows: Sequence[int], scales: Sequence[float]) -> MemberOverrides:
        """Return those of the members that still learn, each one's learning rate times a scale of its own."""
        positions = torch.tensor(rows, device=self.rate.device)
        rate = self.rate[positions] * self.rate.new_tensor(scales)
        shared_learning_rate = self.shared_learning_rate and set(scales) == {1.0}
        return MemberOverrides(
            rate, self.l1[positions], self.l2[positions], shared_learning_rate, self.penalized
        )


def rank_points(
    points: Sequence[Point], scores: Sequence[Sequence[float]], higher_is_better: bool
) -> list[dict[str, Any]]:
    """Return the points with mean and standard deviation of their members' scores, the best one first.

    A point with a member that diverged comes last. Its mean is infinite, on the bad side, and its deviation is that of
    its other members.

    Args:
        points: the grid.
        scores: for each point, its members' best scores on the validation rows; infinite where one diverged.
        higher_is_better: or lower.
    """
    worst = -math.inf if higher_is_better else math.inf
    found = []
    for position, (point, values) in enumerate(zip(points, scores, strict=True)):
        finite = [value for value in values if math.isfinite(value)]
        found.append(
            {
                "settings": point,
                "mean": statistics.fmean(values) if len(finite) == len(values) else worst,
                "std": statistics.stdev(finite) if len(finite) > 1 else 0.0,
                "diverged": len(values) - len(finite),
                "index": position,
            }
        )
    return sorted(found, key=lambda each: each["mean"], reverse=higher_is_better)
