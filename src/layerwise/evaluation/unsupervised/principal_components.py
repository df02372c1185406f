"""Principal components (Pearson 1901): the baseline of latents, and the plane in which rows are plotted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor


@dataclass(frozen=True)
class PrincipalComponents:
    """The directions of most variance.

    Args:
        mean: (d,) of the training rows.
        directions: (k, d) of length 1, the ones of most variance first; each has its largest entry above 0.
        fractions: (k,) of the training rows' variance.
    """

    mean: Tensor
    directions: Tensor
    fractions: Tensor

    def encode(self, rows: Tensor) -> Tensor:
        """Return components (n, k)."""
        return (rows - self.mean) @ self.directions.t()

    def decode(self, components: Tensor) -> Tensor:
        """Return rows (n, d)."""
        return self.mean + components @ self.directions


def fit_pca(training: Tensor, k: int | float) -> PrincipalComponents:
    """Return the first principal components of rows (n, d).

    Args:
        training: the rows.
        k: how many, all of them if k is larger than d; below 1 as many as explain that fraction of the variance.
    """
    n_columns = training.shape[1]
    mean = training.mean(0)
    centered = (training - mean).double()
    moments = (centered.t() @ centered).cpu().numpy()
    # The longest axes of the covariance and nothing else of it: many times as fast as all singular values.
    first = max(0, n_columns - int(k)) if k >= 1 else 0
    squared, vectors = eigh(moments, subset_by_index=[first, n_columns - 1])
    squared, directions = squared[::-1], vectors.T[::-1]
    fractions = squared / max(float(np.trace(moments)), 1e-300)
    if k < 1:
        enough = int(np.searchsorted(np.cumsum(fractions), k, side="right")) + 1
        directions, fractions = directions[:enough], fractions[:enough]
    # A component's sign is arbitrary; with the largest entry positive, those of other rows agree.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(1)])
    return PrincipalComponents(
        mean,
        torch.from_numpy(directions * signs[:, None]).to(training),
        torch.from_numpy(fractions.copy()).to(training),
    )
