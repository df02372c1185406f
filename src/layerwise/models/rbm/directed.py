"""A layer of a deep belief network below its top RBM, with weights of its own on the way up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerwise.models.rbm.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import UnitsError


class DirectedLayer(RBM):
    """A conditional p(v | h) of a belief network and its recognition model q(h | v) (Hinton, Osindero & Teh 2006).

    `weight` and `visible_bias` lead down, p(v | h); `recognition_weight` (n_visible, n_hidden) and `hidden_bias` lead
    up, q(h | v), from the values themselves and not from those over their variances. Together they have no energy.
    """

    recognition_weight: Tensor

    def __init__(self, config: RBMConfig, rng: torch.Generator | None = None) -> None:
        super().__init__(config, rng)
        self.register_parameter(
            "recognition_weight", nn.Parameter(self.weight.detach().clone(), requires_grad=False)
        )

    @classmethod
    def of(cls, rbm: RBM) -> DirectedLayer:
        """Return a layer that is the RBM's two conditional distributions, on its device and in its precision."""
        found = cls(rbm.config).to(rbm.weight)
        found.load_state_dict(rbm.state_dict() | {"recognition_weight": rbm.upward_weight})
        return found

    @property
    def upward_weight(self) -> Tensor:
        """The weights of the recognition model, (n_visible, n_hidden)."""
        return self.recognition_weight

    def hidden_pre_activation(self, v: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the recognition model's pre-activation c + v R, shape (rows, n_hidden)."""
        return torch.addmm(self.hidden_bias, v, self.recognition_weight, out=out)

    def energy(self, v: Tensor, h: Tensor) -> Tensor:
        """Raise a UnitsError: the two directions belong to no one energy."""
        raise UnitsError("a layer with other weights up than down has no energy")

    def free_energy(self, v: Tensor) -> Tensor:
        """Raise a UnitsError: the two directions belong to no one energy."""
        raise UnitsError("a layer with other weights up than down has no free energy")
