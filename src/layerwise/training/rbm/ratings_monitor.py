"""Watch how well held-out ratings are predicted while an RBM learns from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.models.rbm import RBM, rated, rating_probabilities
from layerwise.training.callbacks import Callback


class RatingsMonitor(Callback):
    """Measure `validation/rmse`, the root mean squared error of the expected rating, after each epoch.

    Args:
        rbm: the model that learns.
        given: (rows, n_visible) the training ratings.
        held_out: (rows, n_visible) the validation ratings of the same rows.
        levels: the values of the ratings, in order.
    """

    def __init__(self, rbm: RBM, given: Tensor, held_out: Tensor, levels: Sequence[float]) -> None:
        self.rbm, self.given = rbm, given
        self.levels = torch.tensor(list(levels), device=given.device, dtype=given.dtype)
        self.rows, self.groups, self.true = rated(held_out, len(self.levels))

    def epoch_metrics(self, progress: Progress) -> Mapping[str, float]:
        """Return the epoch's error."""
        p = rating_probabilities(self.rbm, self.given, self.rows, self.groups, len(self.levels))
        return {"validation/rmse": float((p @ self.levels - self.levels[self.true]).square().mean().sqrt())}
