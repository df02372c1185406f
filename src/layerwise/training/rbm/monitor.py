"""Watch whether an RBM learns the distribution of the rows: pseudo-likelihood, free energies, held-out ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.data import SparseTensorData, TensorData
from layerwise.models.rbm import RBM, log_pseudo_likelihood, rated, rating_probabilities
from layerwise.training.callbacks import Callback
from layerwise.training.plan import TrainingPlan

# The metric that may choose the best epoch.
PSEUDO_LIKELIHOOD = "validation/pseudo_likelihood"


class RBMMonitor(Callback):
    """Measure after each epoch what reconstruction does not show.

    `pseudo_likelihood` is exact on a sample of rows, in nats a row. `validation/free_energy_gap` is the mean free
    energy of validation rows less that of training rows: it grows while the RBM overfits
    (Hinton 2010, section 6). `norm/...` are Euclidean norms of the parameters.

    Args:
        rbm: the model that learns.
        training: (n, n_visible) a sample of the training rows.
        validation: (n, n_visible) a sample of the validation rows.
        pseudo_likelihood_rows: how many of each the pseudo-likelihood is computed of; 0 for none.
    """

    def __init__(
        self, rbm: RBM, training: Tensor, validation: Tensor | None, pseudo_likelihood_rows: int
    ) -> None:
        self.rbm, self.samples, self.pseudo_likelihood_rows = rbm, {"train": training}, pseudo_likelihood_rows
        if validation is not None:
            self.samples["validation"] = validation

    def epoch_metrics(self, progress: Progress) -> Mapping[str, float]:
        """Return the epoch's metrics."""
        found: dict[str, float] = {}
        for role, rows in self.samples.items():
            if self.pseudo_likelihood_rows:
                values = log_pseudo_likelihood(self.rbm, rows[: self.pseudo_likelihood_rows])
                found[f"{role}/pseudo_likelihood"] = float(values.mean())
        if "validation" in self.samples:
            energies = {role: float(self.rbm.free_energy(rows).mean()) for role, rows in self.samples.items()}
            found["validation/free_energy_gap"] = energies["validation"] - energies["train"]
        for name, value in self.rbm.named_parameters():
            found[f"norm/{name.rpartition('.')[2]}"] = float(value.norm())
        return found


class TrainingRowsMonitor(Callback):
    """Measure some training rows after each epoch as the validation rows are measured.

    What a training step returns comes from sampled hidden units, so that its reconstruction is worse than the one from
    means without any difference between the rows. This is `train/reconstruction` and `train/free_energy` instead, of
    at most a fiftieth of the rows: a fiftieth of the time.

    Args:
        plan: trains the RBM.
        training: the rows that it learns from.
    """

    def __init__(self, plan: TrainingPlan, training: TensorData | SparseTensorData) -> None:
        n_rows = len(training)
        measured = min(500, max(1, n_rows // 50))
        self.plan, self.rows = plan, training[torch.arange(measured, device="cpu") * n_rows // measured]

    def epoch_metrics(self, progress: Progress) -> Mapping[str, float]:
        """Return the epoch's metrics."""
        with torch.no_grad():
            losses = self.plan.validation_step(self.rows)
        return {f"train/{name}": float(values.mean()) for name, values in losses.items()}


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
