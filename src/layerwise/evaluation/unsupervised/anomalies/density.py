"""How probable a row's latent and its reconstruction error are together: the score of what a network finds unusual.

Zong et al. (2018), deep autoencoding Gaussian mixtures, with the mixture fitted after the network has learnt. A network
reconstructs much that it has not seen, and a row with little in it (a 1 among digits) with a small error whatever it
is: where its latent lies says more, and both together most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.evaluation.unsupervised.principal_components import fit_pca
from layerwise.utils import Config

# Of the mixture, if there are so many rows for each: chosen, as the features were, on those sets of
# `benchmarks/anomalies.py` that are not reported.
COMPONENTS, ROWS_OF_A_COMPONENT = 10, 30
# Principal components of the latent that the mixture is fitted to, and rows that it is fitted to, at most.
LATENT_SIZE, FITTED_ROWS = 30, 10_000
# Added to each variance, as a fraction of their mean.
REGULARIZATION = 1e-3
AT_A_TIME = 2000


class RowDensity(Config):
    """A mixture of normal distributions over what a network makes of normal rows; it holds none of the rows.

    Args:
        of_images: latents are compared by their directions and errors by the image's own sum of squares, so that a
            bright image is no more unusual than a dark one.
        latent_mean, latent_directions: (l,) and (k, l), the components of the latent that are kept.
        scales: (k + 1,) that components and logarithm of the error are divided by.
        log_weights: (m,) of the mixture's distributions.
        means: (m, k + 1).
        factors: (m, k + 1, k + 1), F with F F' the inverse of the covariance.
    """

    of_images: bool
    latent_mean: tuple[float, ...]
    latent_directions: tuple[tuple[float, ...], ...]
    scales: tuple[float, ...]
    log_weights: tuple[float, ...]
    means: tuple[tuple[float, ...], ...]
    factors: tuple[tuple[tuple[float, ...], ...], ...]

    @classmethod
    def fit(cls, network: nn.Module, rows: Tensor, of_images: bool) -> Self:
        """Return the density of normal rows (n, d) that a network has learnt, an even choice of many of them."""
        from sklearn.mixture import GaussianMixture

        device, step = next(network.parameters()).device, -(-len(rows) // FITTED_ROWS)
        chosen = rows[::step].split(AT_A_TIME)
        with torch.no_grad():
            parts = [_features(network, part.to(device), of_images)[:2] for part in chosen]
        latents, errors = (torch.cat(each).cpu() for each in zip(*parts, strict=True))
        pca = fit_pca(latents, LATENT_SIZE)
        features = torch.cat([pca.encode(latents), errors], 1).double().numpy()
        spread = np.full(features.shape[1], features[:, :-1].std())
        spread[-1] = features[:, -1].std()
        scales = np.where(spread > 0, spread, 1.0)
        features = features / scales
        regularization = REGULARIZATION * max(float(features.var(0).mean()), 1e-6)
        # The same rows have the same density, whatever the seed of the run that trained the network.
        mixture = GaussianMixture(
            max(1, min(COMPONENTS, len(features) // ROWS_OF_A_COMPONENT)),
            reg_covar=regularization,
            max_iter=50,
            tol=1e-2,
            random_state=0,
        )
        _fit_quietly(mixture, features)
        return cls(
            of_images=of_images,
            latent_mean=_tuples(pca.mean),
            latent_directions=_tuples(pca.directions),
            scales=_tuples(scales),
            log_weights=_tuples(np.log(mixture.weights_)),
            means=_tuples(mixture.means_),
            factors=_tuples(mixture.precisions_cholesky_),
        )

    def scorer(self, network: nn.Module) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        """Return the function from rows (n, d) to -log density (n,) and their squared errors (n, d)."""
        device = next(network.parameters()).device
        mean, directions = (
            torch.tensor(each, device=device) for each in (self.latent_mean, self.latent_directions)
        )
        whitening, shift, constant = (each.to(device) for each in self._whitening())
        n_distributions, keeps_all = len(constant), len(directions) == len(mean)
        if keeps_all:  # one product for two
            whitening = torch.cat([whitening[:, :-1] @ directions, whitening[:, -1:]], 1)
        # Of a parameter `AlignedProducts` keeps what it pads.
        weight = nn.Parameter(whitening, requires_grad=False)

        def score(rows: Tensor) -> tuple[Tensor, Tensor]:
            latents, errors, squared = _features(network, rows, self.of_images)
            centered = latents - mean
            components = centered if keeps_all else centered @ directions.t()
            whitened = nn.functional.linear(torch.cat([components, errors], 1), weight, shift)
            half_distances = whitened.square().unflatten(1, (n_distributions, -1)).sum(2)
            return -(constant - half_distances).logsumexp(1), squared

        return score

    def _whitening(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return (m (k + 1), k + 1) W, (m (k + 1),) b and (m,) c.

        By these k components and an error x have the density sum_i exp(c_i - |y_i|^2), where the m parts of y, after
        each other, are W x + b.
        """
        scales, log_weights, means, factors = (
            torch.tensor(getattr(self, name), dtype=torch.float64, device="cpu")
            for name in ("scales", "log_weights", "means", "factors")
        )
        weight = (factors.mT / scales).flatten(0, 1) / math.sqrt(2)
        shift = -(means[:, None] @ factors).flatten() / math.sqrt(2)
        constant = log_weights + factors.diagonal(dim1=1, dim2=2).log().sum(1)
        constant -= math.log(2 * math.pi) * means.shape[1] / 2
        return weight.float(), shift.float(), constant.float()

    @torch.no_grad()
    def scores(self, network: nn.Module, rows: Tensor) -> Tensor:
        """Return -log density of rows (n, d), shape (n,), on the CPU."""
        score, device = self.scorer(network), next(network.parameters()).device
        parts = (part.to(device) for part in rows.split(AT_A_TIME))
        return torch.cat([score(part)[0].cpu() for part in parts])


def _fit_quietly(mixture: Any, features: np.ndarray) -> None:
    """Fit a mixture; that it has not come to rest, or found fewer places than it has distributions, is no matter."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(features)


def _features(network: nn.Module, rows: Tensor, of_images: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return latents (n, l), of length 1 for images, the logarithm of the (relative) squared error (n, 1), and the
    squared errors of the reconstructions (n, d).
    """
    latents, reconstructed = network.encode_and_reconstruct(rows)  # type: ignore[operator]
    squared = (reconstructed - rows).square()
    errors = squared.sum(1, keepdim=True)
    smallest = 1e-6 * rows.shape[1]
    if of_images:
        errors = errors / (rows.square().sum(1, keepdim=True) + smallest)
        latents = nn.functional.normalize(latents)
    return latents, (errors + smallest).log(), squared


def _tuples(values: Any) -> Any:
    """Return an array as nested tuples of numbers."""
    if isinstance(values, Tensor):
        values = values.double().numpy()
    return tuple(_tuples(each) if np.ndim(each) else float(each) for each in values)
