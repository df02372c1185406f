"""Penalties on the latent activations and on the encoder's Jacobian, added to the reconstruction loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from layerwise.utils import Choice, ranks

SparsityName = Literal["none", "kl", "l1", "top_k"]

SPARSITIES: dict[str, Choice] = {
    "none": Choice("no penalty", "a bottleneck or noise does the work"),
    "kl": Choice(
        "sum_j KL(rho || mean activation of unit j over the batch) (Ng 2011)",
        "sigmoid latents",
        ("sparsity_weight", "sparsity_target"),
    ),
    "l1": Choice(
        "sum_j of the row's absolute activations (Olshausen & Field 1996)",
        "relu latents",
        ("sparsity_weight",),
    ),
    "top_k": Choice(
        "all but the top_k_units largest units of a row are set to 0 (Makhzani & Frey 2013)",
        "linear or relu latents: the number is exact",
        ("top_k_units",),
    ),
}
DEFAULT_SPARSITY_WEIGHTS = {"kl": 0.5, "l1": 0.05, "top_k": 0.0, "none": 0.0}


@dataclass(frozen=True)
class EncodedBatch:
    """A batch after the encoder: latents (rows, units), and |J|^2 of each row (rows,) where a penalty needs it."""

    latent: Tensor
    squared_jacobian: Tensor | None = None

    def to(self, dtype: torch.dtype) -> EncodedBatch:
        """Return the same in the numbers in which sums are taken."""
        norm = self.squared_jacobian
        return EncodedBatch(self.latent.to(dtype), None if norm is None else norm.to(dtype))


class Penalty(Protocol):
    """A term of the cost."""

    @property
    def name(self) -> str:
        """The term's name in the training history."""

    def __call__(self, encoded: EncodedBatch) -> Tensor:
        """Return the weighted term of each row, shape (rows,)."""


@dataclass(frozen=True)
class KLSparsity:
    """lambda sum_j KL(rho || rho_j), the same for every row of a batch."""

    weight: float
    target: float
    name: str = "sparsity"

    def __call__(self, encoded: EncodedBatch) -> Tensor:
        """Return the term, shape (rows,)."""
        latent = encoded.latent
        return (self.weight * kl_sparsity(latent, self.target)).expand(len(latent))


@dataclass(frozen=True)
class L1Sparsity:
    """lambda sum_j |h_j|."""

    weight: float
    name: str = "sparsity"

    def __call__(self, encoded: EncodedBatch) -> Tensor:
        """Return the term, shape (rows,)."""
        return self.weight * encoded.latent.abs().sum(1)


@dataclass(frozen=True)
class Contraction:
    """lambda |J|^2 (Rifai et al. 2011, equation 3)."""

    weight: float
    name: str = "contraction"

    def __call__(self, encoded: EncodedBatch) -> Tensor:
        """Return the term, shape (rows,)."""
        assert encoded.squared_jacobian is not None
        return self.weight * encoded.squared_jacobian


def kl_sparsity(latent: Tensor, target: float) -> Tensor:
    """Return sum_j KL(rho || rho_j), rho_j the mean activation of unit j over the batch; a number, nats.

    rho log(rho / rho_j) + (1 - rho) log((1 - rho) / (1 - rho_j)). The mean comes first: the mean of each row's own
    divergence would ask every row for the same activation. A unit that is always off or always on has a finite cost.

    Args:
        latent: (rows, units) in [0, 1].
        target: rho, between 0 and 1.
    """
    tiny = 1e-6
    # A weighted mean rather than a limit: at 0 and at 1 the gradient still points back.
    mean = tiny + (1 - 2 * tiny) * ranks.batch_mean(latent)
    rho = latent.new_full((), target)  # filled on the device: nothing is copied there
    return (rho * (rho / mean).log() + (1 - rho) * ((1 - rho) / (1 - mean)).log()).sum()
