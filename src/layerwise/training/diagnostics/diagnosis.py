"""From statistics by layer to a diagnosis in words: vanishing, exploding, dead, saturated, symmetric."""

from __future__ import annotations

import math
from collections.abc import Sequence

from layerwise.utils import Config

# A first layer whose gradient is below this fraction of the last hidden layer's learns next to nothing.
VANISHING_RATIO = 1e-3
# A gradient of the first layer above this multiple of the last hidden layer's grows on its way down.
EXPLODING_RATIO = 1e3
# Each weight's gradient usually stays far below 1; above it in every layer, no step is small.
EXPLODING_GRADIENT = 1.0
# Weights or a loss that grew to so many times their first value have diverged.
NORM_GROWTH = 10.0
LOSS_GROWTH = 10.0
DEAD_FRACTION = 0.5
# Features of pretrained sigmoid layers are mostly near 0 or 1 and learn well: only a whole layer counts.
SATURATED_FRACTION = 0.9

REMEDIES = {
    "vanishing": "units of the relu family, He or Glorot initialisation, normalisation, fewer layers, or pretraining",
    "exploding": "gradient clipping (clip_norm: 1), He or Glorot initialisation, a lower rate, l2, fewer layers",
    "dead": "a lower learning rate, He initialisation with small positive biases, leaky_relu or elu",
    "saturated": "Glorot initialisation, standardised inputs, normalisation, or units of the relu family",
    "symmetric": "random weights, by he_uniform for relu, glorot_uniform for sigmoid and tanh",
}


class LayerSummary(Config):
    """The statistics of one layer.

    `gradient` is its norm over the root of the number of weights, so that layers of any size compare;
    `reference_norm` the norm of weights of Glorot's initialisation; `has_identical_units` says that all units have
    the same incoming weights.
    """

    name: str
    activation: str
    gradient: float
    update_ratio: float
    weight_norm: float
    reference_norm: float
    activation_mean: float
    activation_std: float
    saturated: float
    dead: float
    has_identical_units: bool


class NetworkSummary(Config):
    """The statistics of a network in one epoch, the first layer first and the output last."""

    epoch: int
    loss: float
    layers: tuple[LayerSummary, ...]

    def metrics(self) -> dict[str, float]:
        """Return the statistics under the names of their metrics."""
        names = (
            "gradient",
            "update_ratio",
            "weight_norm",
            "activation_mean",
            "activation_std",
            "saturated",
            "dead",
        )
        return {
            f"layer_statistics/{layer.name}/{name}": value
            for layer in self.layers
            for name in names
            if math.isfinite(value := getattr(layer, name))
        }


def gradient_ratio(summary: NetworkSummary) -> float:
    """Return the first layer's gradient as a multiple of the last hidden layer's; 1 with fewer than 2 of them."""
    hidden = summary.layers[:-1]
    if len(hidden) < 2:
        return 1.0
    first, last = hidden[0].gradient, hidden[-1].gradient
    if not math.isfinite(first) or not math.isfinite(last):
        return math.inf
    return first / last if last > 0 else (1.0 if first == 0 else math.inf)


def diagnose(start: NetworkSummary | None, epochs: Sequence[NetworkSummary]) -> list[str]:
    """Return a sentence for everything that is wrong; an empty list when nothing is.

    A vanishing gradient is that of the first epoch, since later ones shrink because the network has learnt. An
    exploding one has to be so in at least half of the epochs.

    Args:
        start: before the first step; None if it was not measured.
        epochs: at least one epoch.
    """
    if not epochs:
        return []
    found = []
    first, last = epochs[0], epochs[-1]
    symmetric = [layer.name for layer in last.layers if layer.has_identical_units]
    if symmetric:
        found.append(
            f"symmetric: all units of {_and(symmetric)} have the same weights and will stay identical. "
            f"Remedy: {REMEDIES['symmetric']}."
        )
    exploding = _exploding(start, epochs)
    if exploding:
        found.append(f"exploding: {exploding}. Remedy: {REMEDIES['exploding']}.")
    ratio = gradient_ratio(first)
    if not symmetric and not exploding and ratio < VANISHING_RATIO:
        names = first.layers[0].name, first.layers[-2].name
        found.append(
            f"vanishing: the gradient of {names[0]} is {ratio:.1e} times that of {names[1]} "
            f"(below {VANISHING_RATIO:g}). Remedy: {REMEDIES['vanishing']}."
        )
    if exploding:
        return found  # activations of diverged weights say nothing more
    for kind, limit in (("dead", DEAD_FRACTION), ("saturated", SATURATED_FRACTION)):
        bad = [layer for layer in last.layers if getattr(layer, kind) > limit]
        if bad:
            fractions = ", ".join(f"{layer.name} ({getattr(layer, kind):.0%})" for layer in bad)
            what = (
                "units are 0 for every row"
                if kind == "dead"
                else "activations lie where the derivative is near 0"
            )
            found.append(f"{kind}: {what} in {fractions}. Remedy: {REMEDIES[kind]}.")
    return found


def _exploding(start: NetworkSummary | None, epochs: Sequence[NetworkSummary]) -> str:
    ratios = [gradient_ratio(summary) for summary in epochs]
    if _holds_in_half([ratio > EXPLODING_RATIO for ratio in ratios]):
        return f"the gradient grows {max(ratios):.1e} times on its way down to {epochs[0].layers[0].name}"
    smallest = [min(layer.gradient for layer in summary.layers) for summary in epochs]
    if _holds_in_half([gradient > EXPLODING_GRADIENT for gradient in smallest]):
        return (
            f"the gradient of every layer is above {EXPLODING_GRADIENT:g} for each weight "
            f"(at least {max(smallest):.1e})"
        )
    for summary in epochs:
        if not math.isfinite(summary.loss) or any(
            not math.isfinite(each.weight_norm) for each in summary.layers
        ):
            return f"NaN or infinity in epoch {summary.epoch}"
    first, last = epochs[0], epochs[-1]
    if last.loss > LOSS_GROWTH * max(first.loss, 1e-12):
        return f"the training loss grew from {first.loss:.3g} to {last.loss:.3g}"
    initial = start or first
    for before, after in zip(initial.layers, last.layers, strict=True):
        # Weights that start at or near 0 may grow by any factor up to the usual size.
        size = max(before.weight_norm, before.reference_norm)
        if after.weight_norm > NORM_GROWTH * size:
            return (
                f"the weights of {after.name} grew to {after.weight_norm / size:.0f} times their usual size"
            )
    return ""


def _holds_in_half(holds: Sequence[bool]) -> bool:
    return sum(holds) >= len(holds) / 2


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
