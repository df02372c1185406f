"""Principal components (Pearson 1901): the baseline of latents, and the plane in which rows are plotted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

MANY_COLUMNS = 1000


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
    from sklearn.decomposition import PCA

    rows = training.cpu().numpy().astype(np.float64)
    # Of the covariance, in double precision: exact, and many times as fast as the singular values of tall rows. But its
    # work is cubic in the columns, and that of the singular values in the rows where these are fewer. The largest entry
    # of a component is positive, so that those of other rows agree.
    solver = "full" if rows.shape[1] > max(len(rows), MANY_COLUMNS) else "covariance_eigh"
    found = PCA(min(k, *rows.shape) if k >= 1 else k, svd_solver=solver).fit(rows)
    mean, directions, fractions = (
        torch.from_numpy(values).to(training)
        for values in (found.mean_, found.components_, found.explained_variance_ratio_)
    )
    return PrincipalComponents(mean, directions, fractions)
