"""How unusual rows are to a network that learnt normal ones: the score, its columns, and what it is compared with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.data import DataSpec, raw_columns
from layerwise.models.autoencoder import BaseAutoencoder, StackedAutoencoders
from layerwise.models.rbm import DBN, RBM
from layerwise.utils import Config

# Even steps of the scores' distribution that a model keeps.
QUANTILES = 1000
AT_A_TIME = 2000


class AnomalyReference(Config):
    """What a network's answers on new rows are compared with.

    Args:
        score_quantiles: of the scores of the validation rows, in even steps from the lowest to the highest.
        column_errors: the mean squared error of each raw column's reconstruction on the validation rows; of each pixel
            of images.
        input_means: of the training rows, a number a column of the inputs: where imputation begins.
    """

    score_quantiles: tuple[float, ...]
    column_errors: tuple[float, ...]
    input_means: tuple[float, ...]

    @classmethod
    def of(
        cls, network: nn.Module, training: Tensor, validation: Tensor, columns: DataSpec
    ) -> AnomalyReference:
        """Return the reference of a network, on the CPU as it answers.

        Args:
            network: an RBM, an autoencoder or a stack of either.
            training: (m, d) rows.
            validation: (n, d) rows.
            columns: what they are.
        """
        with torch.no_grad():
            sums = column_sums(columns)
            parts = [scores_and_errors(network, part, sums) for part in validation.split(AT_A_TIME)]
        found = torch.cat(parts).double().numpy()
        quantiles = np.quantile(found[:, 0], np.linspace(0, 1, QUANTILES + 1))
        return cls(
            score_quantiles=tuple(quantiles.tolist()),
            column_errors=tuple(found[:, 1:].mean(0).tolist()),
            input_means=tuple(training.double().mean(0).tolist()),
        )

    def threshold(self, contamination: float) -> float:
        """Return the score that a fraction of the validation rows lies above."""
        steps = np.linspace(0, 1, len(self.score_quantiles))
        return float(np.interp(1 - contamination, steps, self.score_quantiles))


def has_anomaly_scores(network: nn.Module) -> bool:
    """Return whether a network has a score of how unusual rows are."""
    return isinstance(network, RBM | DBN | BaseAutoencoder | StackedAutoencoders)


def anomaly_scores(network: nn.Module, rows: Tensor) -> Tensor:
    """Return a score of each row, high for unusual ones, shape (n,).

    It is the free energy of an RBM, -log p(v) but for a constant; the loss of an autoencoder's reconstruction, with
    the KL divergence of a variational one (An & Cho 2015); and the squared error of a stack's reconstruction.

    Args:
        network: an RBM, an autoencoder or a stack of either.
        rows: (n, d).
    """
    if isinstance(network, RBM) and network.hidden_units.samples_exactly:
        return network.free_energy(rows)
    return _scores_and_reconstructions(network, rows)[0]


def _scores_and_reconstructions(network: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
    if isinstance(network, BaseAutoencoder):
        return network.loss_and_reconstruction(rows)
    reconstructed: Tensor = network.reconstruct(rows)  # type: ignore[operator]
    if isinstance(network, RBM) and network.hidden_units.samples_exactly:
        return network.free_energy(rows), reconstructed
    return (reconstructed - rows).square().sum(1), reconstructed


def scores_and_errors(network: nn.Module, rows: Tensor, sums: Tensor | None) -> Tensor:
    """Return each row's score, and the squared error of each raw column's reconstruction, shape (n, 1 + columns).

    Args:
        network: as `anomaly_scores` takes it.
        rows: (n, d).
        sums: of `column_sums`.
    """
    scores, reconstructed = _scores_and_reconstructions(network, rows)
    squared = (reconstructed - rows).square()
    errors = squared if sums is None else squared @ sums.to(squared)
    return torch.cat([scores[:, None], errors], 1)


def error_columns(columns: DataSpec) -> list[str]:
    """Return the names of what `scores_and_errors` has errors of: raw columns, or pixels."""
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
