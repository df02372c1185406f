"""Which settings of contrastive divergence fit which units: refused before the first batch, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from layerwise.models.rbm import RBM
from layerwise.models.rbm.units import UnitsError
from layerwise.training.rbm.rbm_settings import RBMTrainingSettings
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings, PretrainingSettings


def is_centered(rbm: RBM, settings: ContrastiveDivergenceSettings) -> bool:
    """Return whether gradients are centred: as the settings say, or where there are Gaussian units."""
    return rbm.has_real_units if settings.centered is None else settings.centered


def require_fitting_units(rbm: RBM, settings: ContrastiveDivergenceSettings) -> None:
    """Raise where the settings do not fit the RBM's kinds of units.

    Raises:
        UnitsError: says which setting, and what to do.
    """
    learns_variances = bool(rbm.learned_variances())
    has_counts = rbm.visible_units.scales_hidden_bias
    if settings.bfloat16 and (learns_variances or has_counts or rbm.weight.dtype != torch.float32):
        raise UnitsError("bfloat16 products are for float32 weights and units of fixed variance, not counts")
    if settings.dropout != rbm.config.dropout:
        raise UnitsError(
            f"the RBM's config has dropout {rbm.config.dropout:g} and its settings {settings.dropout:g}; the RBM is "
            "judged by what its config says, so give both the same"
        )
    if settings.dropout and settings.chain != "data":
        raise UnitsError("dropout changes the model with every batch, which persistent chains cannot follow")
    if is_centered(rbm, settings) and has_counts:
        raise UnitsError("centred gradients are not for counts, whose documents have lengths of their own")
    if settings.sample_visible is False and learns_variances:
        raise UnitsError("variances are learnt from samples of the visible units; leave sample_visible: null")


def require_useful_settings(rbms: Sequence[RBM], settings: PretrainingSettings | RBMTrainingSettings) -> None:
    """Raise where a setting differs from its default and none of the RBMs has a use for it.

    Raises:
        UnitsError: names the setting.
    """
    if settings.changed("offset_rate") and not any(is_centered(rbm, settings) for rbm in rbms):
        raise UnitsError(
            "no units are Gaussian and no gradient is centred: set centered: true, or leave offset_rate out"
        )
    if isinstance(settings, PretrainingSettings) and settings.up_down.epochs and len(rbms) < 2:
        raise UnitsError(
            "up_down trains the layers below the top RBM, and a stack of one RBM has none: leave it out, or add a "
            "layer to the hidden sizes"
        )
    for name in ("learn_variance", "variance_rate_factor", "gaussian_learning_rate"):
        if settings.changed(name) and not any(rbm.has_real_units for rbm in rbms):
            raise UnitsError(f"no units are Gaussian, which is what {name} is for: leave it out")


def require_complete_rows(rbm: RBM, inputs: Tensor, settings: ContrastiveDivergenceSettings) -> None:
    """Raise where rows miss groups of softmax units, as those of ratings do, and the settings need whole rows.

    A chain of its own has no row that says what to leave out: it would sample a model of complete rows, and so would
    its statistics. An offset is no mean of what is not there.

    Args:
        rbm: the RBM.
        inputs: (rows, n_visible) training rows.
        settings: of the training.

    Raises:
        UnitsError: says how many rows, and what to do.
    """
    if rbm.visible_units.scales_hidden_bias or (settings.chain == "data" and not is_centered(rbm, settings)):
        return
    observed = rbm.visible_units.observation_counts(inputs)
    incomplete = 0 if observed is None else int((observed == 0).any(1).sum())
    if incomplete:
        raise UnitsError(
            f"a group of units is missing in {incomplete} of {len(inputs)} rows, and only chains from the rows know "
            "which: use chain: data and centered: false"
        )
