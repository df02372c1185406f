"""How unusual rows are to a network that learnt normal ones: the score, its columns, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.data import DataSpec, raw_columns
from layerwise.evaluation.metrics import compute_metrics, rank_scores
from layerwise.evaluation.unsupervised.anomalies.density import RowDensity
from layerwise.evaluation.unsupervised.anomalies.probability import (
    FEWEST_KNOWN_ANOMALIES,
    AnomalyProbability,
)
from layerwise.evaluation.unsupervised.imputation import N_ITERATIONS, choose_iterations
from layerwise.models.autoencoder import BaseAutoencoder
from layerwise.models.rbm import RBM
from layerwise.utils import Config

# Even steps of the scores' distribution that a model keeps.
QUANTILES = 1000
AT_A_TIME = 2000
# Of rows with one column changed at once: 64 MB.
MOST_NUMBERS = 16_000_000


class AnomalyReference(Config):
    """What a network's answers on new rows are compared with.

    Args:
        score_quantiles: of the scores of the validation rows, in even steps from the lowest to the highest.
        column_errors: the mean squared error of each raw column's reconstruction on the validation rows; of each pixel
            of images: what is usual of a row's errors.
        input_means: of the training rows, a number a column of the inputs: where imputation begins.
        imputation_iterations: how many reconstructions fill an empty cell; 0 where the means are no worse.
        density: of the training rows; None where the score is an RBM's free energy.
        probability: of a score; None where no anomalies are known.
    """

    score_quantiles: tuple[float, ...]
    column_errors: tuple[float, ...]
    input_means: tuple[float, ...]
    imputation_iterations: int = N_ITERATIONS
    density: RowDensity | None = None
    probability: AnomalyProbability | None = None

    @classmethod
    def of(
        cls,
        network: nn.Module,
        training: Tensor,
        validation: Tensor,
        columns: DataSpec,
        is_anomaly: Tensor | None = None,
    ) -> AnomalyReference:
        """Return the reference of a network, on the CPU as it answers.

        Args:
            network: an RBM, an autoencoder or a stack of either.
            training: (m, d) normal rows.
            validation: (n, d) rows.
            columns: what they are.
            is_anomaly: (n,) bool, which validation rows are known anomalies: what is normal is told by the others, and
                a probability by both, if there are `FEWEST_KNOWN_ANOMALIES` of each.
        """
        with torch.no_grad():
            density, of_images = None, columns.image_shape is not None
            if of_images or not has_free_energy(network):
                density = RowDensity.fit(network, training, of_images)
            score = make_scorer(network, columns, density)
            found = _apply_in_parts(score, validation)
            means = training.double().mean(0)
            reconstruct: Any = network.reconstruct
            n_iterations = choose_iterations(reconstruct, validation, means.to(validation), columns)
        probability = None
        if is_anomaly is not None:
            known = is_anomaly.numpy()
            if min(known.sum(), (~known).sum()) >= FEWEST_KNOWN_ANOMALIES:
                probability = AnomalyProbability.fit(found[:, 0], known)
            found = found[~known]
        quantiles = np.quantile(found[:, 0], np.linspace(0, 1, QUANTILES + 1))
        return cls(
            score_quantiles=tuple(quantiles.tolist()),
            column_errors=tuple(found[:, 1:].mean(0).tolist()),
            input_means=tuple(means.tolist()),
            imputation_iterations=n_iterations,
            density=density,
            probability=probability,
        )

    def threshold(self, contamination: float) -> float:
        """Return the score that a fraction of the validation rows lies above."""
        steps = np.linspace(0, 1, len(self.score_quantiles))
        return float(np.interp(1 - contamination, steps, self.score_quantiles))


def has_free_energy(network: nn.Module) -> bool:
    """Return whether a network's own free energy is the score: that of an RBM, but for rectified hidden units."""
    return isinstance(network, RBM) and network.hidden_units.samples_exactly


def evaluate_known_anomalies(
    network: nn.Module,
    reference: AnomalyReference,
    rows: Tensor,
    is_anomaly: Tensor,
    columns: DataSpec,
    seed: int,
) -> dict[str, float]:
    """Return AUC and average precision of the score, and the log loss, Brier score and calibration error of its
    probability, where there is one.

    Args:
        network: an RBM, an autoencoder or a stack of either.
        reference: of it.
        rows: (n, d) test rows.
        is_anomaly: (n,) bool.
        columns: what they are.
        seed: of the run.
    """
    truth = is_anomaly.numpy().astype(np.float64)
    with torch.no_grad():
        scores = _apply_in_parts(make_scorer(network, columns, reference.density), rows)[:, 0]

    def measured(values: np.ndarray, *names: str) -> dict[str, float]:
        found = compute_metrics("binary", truth, values, seed=seed, n_bootstrap=0)
        return {name: found[name].value for name in names if name in found}

    found = measured(rank_scores(scores), "roc_auc", "average_precision")
    if reference.probability is not None:
        found |= measured(reference.probability(scores), "log_loss", "brier", "calibration_error")
    return found


def _apply_in_parts(score: Callable[[Tensor], Tensor], rows: Tensor) -> np.ndarray:
    return torch.cat([score(part) for part in rows.split(AT_A_TIME)]).double().numpy()


def make_scorer(
    network: nn.Module, columns: DataSpec, density: RowDensity | None
) -> Callable[[Tensor], Tensor]:
    """Return the function from rows (n, d) to their scores, high for unusual ones, and the errors of raw columns.

    It returns (n, 1 + columns). The score is -log density of the latent and the reconstruction's error. Without a
    density it is the free energy of an RBM of a table, -log p(v) but for a constant; in models of an earlier version
    the loss of an autoencoder's reconstruction, or the squared error of another network's. An RBM of images has a
    density, since its free energy says how bright they are before all else.

    Args:
        network: an RBM, an autoencoder or a stack of either.
        columns: what the rows are.
        density: of normal rows.
    """
    sums = column_sums(columns)
    density_score = None if density is None else density.scorer(network)

    def score_and_squared(rows: Tensor) -> tuple[Tensor, Tensor]:
        if density_score is not None:
            return density_score(rows)
        if isinstance(network, BaseAutoencoder):
            losses, reconstructed = network.loss_and_reconstruction(rows)
            return losses, (reconstructed - rows).square()
        reconstructed = network.reconstruct(rows)  # type: ignore[operator]
        squared = (reconstructed - rows).square()
        if isinstance(network, RBM) and has_free_energy(network):
            return network.free_energy(rows), squared
        return squared.sum(1), squared

    def score(rows: Tensor) -> Tensor:
        scores, squared = score_and_squared(rows)
        errors = squared if sums is None else squared @ sums.to(squared)
        return torch.cat([scores[:, None], errors], 1)

    return score


def occluded_rows(
    rows: Tensor, columns: DataSpec, typical: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield the rows of a table (n, d) with one raw column at its typical value, where it has not that value already.

    By how much a score falls then is what the column adds to it (an occlusion, as in Zeiler & Fergus 2014). A
    reconstruction's error says less: one odd cell moves the latent, and with it every column's reconstruction.

    Args:
        rows: as the network reads them.
        columns: what they are.
        typical: (d,) a row whose columns have their typical values.

    Yields:
        Changed rows (m, d), some rows' at a time, and of which row and raw column each one is, (m,) each.
    """
    comes_from = column_sums(columns)
    assert comes_from is not None  # a table's
    # (columns, 1, d): where a row takes its typical value.
    occluded = (comes_from.T[:, None, :] > 0).to(rows.device)
    at_once = max(1, MOST_NUMBERS // comes_from.numel())
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        changed = torch.where(occluded, typical.to(rows), part)
        differs = (changed != part).any(2)
        of_column, of_row = differs.nonzero(as_tuple=True)
        yield changed[differs], of_row + start, of_column


def error_columns(columns: DataSpec) -> list[str]:
    """Return the names of what `make_scorer` has errors of: raw columns, or pixels."""
    return list(columns.feature_names) if columns.image_shape else list(raw_columns(columns.blocks))


def column_sums(columns: DataSpec) -> Tensor | None:
    """Return the matrix (inputs, raw columns) that sums what comes from one raw column; None for images' pixels."""
    if columns.image_shape:
        return None
    parts = raw_columns(columns.blocks)
    matrix = torch.zeros(columns.n_inputs, len(parts), device="cpu")
    for k, of_one in enumerate(parts.values()):
        for block in of_one:
            matrix[block.start : block.stop, k] = 1
    return matrix
