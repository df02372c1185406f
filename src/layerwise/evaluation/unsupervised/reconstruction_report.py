"""How an autoencoder reconstructs test rows, beside as many principal components, and what its latents are like."""

from __future__ import annotations

import math

from torch import Tensor

from layerwise.data import DataSpec
from layerwise.evaluation.unsupervised.principal_components import fit_pca
from layerwise.evaluation.unsupervised.reconstruction import reconstruction_metrics, reconstruction_sse
from layerwise.models.autoencoder import (
    BaseAutoencoder,
    LatentVariableModel,
    encode_rows,
    mean_jacobian_norm,
    reconstruct_rows,
    reconstruction_losses,
)
from layerwise.utils import Config

# Rows whose Jacobians are computed: each is a matrix of its own.
JACOBIAN_ROWS = 1000
# A unit counts as active if its mean's variance over the rows exceeds this (Burda et al. 2016, section 5.2).
ACTIVE_VARIANCE = 0.01
# A unit is dead if its standard deviation is at most this fraction of the largest one.
DEAD_FRACTION = 0.01


class ComponentErrors(Config):
    """The squared error of a row from principal components, summed over columns."""

    components: int
    reconstruction_sse: float


class ReconstructionReport(Config):
    """Errors of the reconstructions, those of as many components, statistics of the latents.

    `jacobian_norm` is of fully connected networks alone.
    """

    reconstruction: dict[str, float]
    pca: ComponentErrors
    latent: dict[str, float]
    jacobian_norm: float | None = None

    @property
    def is_worse_than_components(self) -> bool:
        """Whether as many principal components reconstruct the test rows better, by the squared error."""
        return self.reconstruction["reconstruction_sse"] > self.pca.reconstruction_sse

    def metrics(self) -> dict[str, float]:
        """Return the numbers under the names that a run logs."""
        latent = {f"latent/{name}": value for name, value in self.latent.items()}
        found = {**self.reconstruction, "pca_reconstruction_sse": self.pca.reconstruction_sse, **latent}
        return found if self.jacobian_norm is None else found | {"jacobian_norm": self.jacobian_norm}

    def __str__(self) -> str:
        return (
            f"Squared error of a test row: {self.reconstruction['reconstruction_sse']:.3f} from "
            f"{self.latent['units']:.0f} latent units, {self.pca.reconstruction_sse:.3f} from "
            f"{self.pca.components} principal components"
        )


def evaluate_reconstructions(
    network: BaseAutoencoder, training: Tensor, test: Tensor, columns: DataSpec
) -> ReconstructionReport:
    """Evaluate the reconstructions of test rows (n, d); the components are those of training rows (m, d)."""
    reconstructed, latents = reconstruct_rows(network, test), encode_rows(network, test)
    bounded = columns.bounded and bool(((reconstructed >= 0) & (reconstructed <= 1)).all())
    errors = reconstruction_metrics(test, reconstructed, bounded)
    errors["loss"] = float(reconstruction_losses(network, test).mean())
    components = fit_pca(training, min(latents.shape[1], columns.n_inputs))
    by_components = components.decode(components.encode(test))
    latent = latent_statistics(latents)
    jacobian_norm = None
    if network.has_exact_jacobian:
        jacobian_norm = mean_jacobian_norm(network.cpu(), test[:JACOBIAN_ROWS])
    if isinstance(network, LatentVariableModel):
        latent["active_units"] = float(active_units(latents))
    return ReconstructionReport(
        reconstruction=errors,
        pca=ComponentErrors(
            components=min(latents.shape[1], columns.n_inputs),
            reconstruction_sse=float(reconstruction_sse(test, by_components).mean()),
        ),
        latent=latent,
        jacobian_norm=jacobian_norm,
    )


def latent_statistics(latents: Tensor) -> dict[str, float]:
    """Return statistics of latents (rows, units).

    `mean_activation` and `mean_absolute_activation` are over rows and units. `sparseness` is Hoyer's, 0 for a row whose
    units are all alike and 1 for a row with one unit alone: (sqrt(k) - |h|_1 / |h|_2) / (sqrt(k) - 1) (Hoyer 2004).
    `dead_units` is the number of units that hardly vary, `zero_fraction` the fraction of activations that are exactly
    0.
    """
    k = latents.shape[1]
    std = latents.std(0)
    lengths = latents.norm(dim=1)
    found = {
        "units": float(k),
        "mean_activation": float(latents.mean()),
        "mean_absolute_activation": float(latents.abs().mean()),
        "zero_fraction": float((latents == 0).float().mean()),
        "dead_units": float((std <= DEAD_FRACTION * std.max()).sum()),
    }
    if k > 1:
        ratio = latents.abs().sum(1) / lengths.clamp_min(1e-12)
        sparseness = (math.sqrt(k) - ratio) / (math.sqrt(k) - 1)
        found["sparseness"] = float(sparseness[lengths > 0].mean()) if bool((lengths > 0).any()) else 0.0
    return found


def active_units(posterior_means: Tensor) -> int:
    """Return how many latent units are active: the variance of their posterior mean over rows is above 0.01."""
    return int((posterior_means.var(0) > ACTIVE_VARIANCE).sum())
