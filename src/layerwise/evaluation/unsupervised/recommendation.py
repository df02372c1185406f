"""Errors of predicted held-out ratings, beside those of mean baselines."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor

from layerwise.models.rbm import RBM, rated, rating_probabilities
from layerwise.models.recommender import SHRINKAGE


class RatingErrors(RootModel[dict[str, float]]):
    """Errors on held-out ratings by name, as `rating_errors` has them."""

    model_config = ConfigDict(frozen=True)

    def __getitem__(self, name: str) -> float:
        return self.root[name]

    def __str__(self) -> str:
        means = ", ".join(
            f"{name.replace('_', ' ')} {self[name]:.4f}" for name in self.root if "mean" in name
        )
        return f"RMSE on held-out ratings: {self['rmse']:.4f} ({means})"


def rating_errors(
    rbm: RBM,
    given: Tensor,
    held_out: Tensor,
    levels: Sequence[float],
    row_and_column: tuple[str, str] = ("item", "user"),
) -> dict[str, float]:
    """Return root mean squared errors on held-out ratings, in units of the ratings.

    `global_mean` predicts the mean of all given ratings; `item_mean` and `user_mean` that of the item or the user,
    shrunk towards it; `both_means` adds the deviations of both from it. `log_loss` is that of the RBM, nats.

    Args:
        rbm: trained on the given ratings.
        given: (rows, n_visible) one-hot.
        held_out: (rows, n_visible) other ratings of the same rows.
        levels: the values of the ratings, in order.
        row_and_column: the names of a row and of a group of columns.
    """
    values = torch.tensor(list(levels), dtype=given.dtype, device=given.device)
    rows, groups, true = rated(held_out, len(values))
    p = rating_probabilities(rbm, given, rows, groups, len(values))
    found = errors_with_mean_baselines(p @ values, given, held_out, levels, row_and_column)
    p_true = p[torch.arange(len(true), device=true.device), true].clamp_min(1e-12)
    return found | {"log_loss": float(-p_true.log().mean())}


def errors_with_mean_baselines(
    predicted: Tensor,
    given: Tensor,
    held_out: Tensor,
    levels: Sequence[float],
    row_and_column: tuple[str, str] = ("item", "user"),
) -> dict[str, float]:
    """Return the root mean squared error (`rmse`) and mean absolute error (`mae`) of predictions, and RMSEs of means.

    Args:
        predicted: (n,) for the held-out ratings in the order of `rated`.
        given, held_out, levels, row_and_column: as in `rating_errors`.
    """
    values = torch.tensor(list(levels), dtype=given.dtype, device=given.device)
    rows, groups, true = rated(held_out, len(values))
    target = values[true]
    known_rows, known_groups, known = rated(given, len(values))
    mean = values[known].mean()
    deviation = values[known] - mean
    n_groups = given.shape[1] // len(values)
    by_row = _shrunken_means(deviation, known_rows, len(given))
    by_group = _shrunken_means(deviation, known_groups, n_groups)
    predictions = {
        "rmse": predicted,
        "global_mean": mean.expand(len(target)),
        f"{row_and_column[0]}_mean": mean + by_row[rows],
        f"{row_and_column[1]}_mean": mean + by_group[groups],
        "both_means": mean + by_row[rows] + by_group[groups],
    }
    errors = {name: float((each - target).square().mean().sqrt()) for name, each in predictions.items()}
    return errors | {"mae": float((predicted - target).abs().mean())}


def _shrunken_means(deviation: Tensor, index: Tensor, n: int) -> Tensor:
    sums = deviation.new_zeros(n).index_add_(0, index, deviation)
    return sums / (torch.bincount(index, minlength=n) + SHRINKAGE)
