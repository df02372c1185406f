"""Which settings of contrastive divergence fit which units: refused before the first batch, in a sentence."""

from __future__ import annotations

import torch

from layerwise.models.rbm import RBM
from layerwise.models.rbm.units import UnitsError
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings


def require_fitting_units(rbm: RBM, settings: ContrastiveDivergenceSettings) -> None:
    """Raise where the settings do not fit the RBM's kinds of units.

    Raises:
        UnitsError: says which setting, and what to do.
    """
    learns_variances = bool(rbm.learned_variances())
    has_counts = rbm.visible_units.scales_hidden_bias
    if settings.bfloat16 and (learns_variances or has_counts or rbm.weight.dtype != torch.float32):
        raise UnitsError("bfloat16 products are for float32 weights and units of fixed variance, not counts")
    if settings.dropout and settings.chain != "data":
        raise UnitsError("dropout changes the model with every batch, which persistent chains cannot follow")
    if settings.centered and has_counts:
        raise UnitsError("centred gradients are not for counts, whose documents have lengths of their own")
    if settings.sample_visible is False and learns_variances:
        raise UnitsError("variances are learnt from samples of the visible units; leave sample_visible: null")
