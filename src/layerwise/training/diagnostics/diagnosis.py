"""From numbers by layer to verdicts in words: vanishing, exploding, dead, saturated, symmetric."""

from __future__ import annotations

import math
from collections.abc import Sequence

from layerwise.utils.config import Config

# A first layer whose gradient is below this share of the last hidden layer's learns next to nothing.
VANISHING_RATIO = 1e-3
# A gradient of the first layer above this multiple of the last hidden layer's grows on its way down.
EXPLODING_RATIO = 1e3
# Each weight's gradient usually stays far below 1; above it in every layer, no step is small.
EXPLODING_GRADIENT = 1.0
# Weights that grew so many times, or a loss so many times its first value, are out of hand.
NORM_GROWTH = 10.0
LOSS_GROWTH = 10.0
DEAD_FRACTION = 0.5
# Features of pretrained sigmoid layers are mostly near 0 or 1 and learn well: only a whole layer counts.
SATURATED_FRACTION = 0.9

REMEDIES = {
    "vanishing": "units of the relu family, a He or Glorot start, normalisation, fewer layers, or pretraining",
    "exploding": "gradient clipping (clip_norm: 1), a He or Glorot start, a lower learning rate, l2, fewer layers",
    "dead": "a lower learning rate, a He start with small positive biases, leaky_relu or elu",
    "saturated": "a Glorot start, standardised inputs, normalisation, or units of the relu family",
    "symmetric": "a random start: he_uniform for relu, glorot_uniform for sigmoid and tanh",
}


class LayerSummary(Config):
    """What was measured of one layer.

    `gradient` is its norm over the root of the number of weights, so that layers of any size compare; `reference_norm`
    the norm of weights that start by Glorot's rule; `has_identical_units` says that all units have the same incoming weights.
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
    """What was measured of a network in one epoch, the first layer first and the output last."""

    epoch: int
    loss: float
    layers: tuple[LayerSummary, ...]

    def metrics(self) -> dict[str, float]:
        """Return the numbers under the names that runs are tracked by."""
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
    """Return a sentence for everything that is wrong; an empty list for a healthy training.

    The gradients are those of the first epoch: later ones shrink because the network has learnt.

    Args:
        start: before the first step; None if it was not looked at.
        epochs: at least one epoch.
    """
    if not epochs:
        return []
    found = []
    first, last = epochs[0], epochs[-1]
    symmetric = [layer.name for layer in last.layers if layer.has_identical_units]
    if symmetric:
        found.append(
            f"symmetric: all units of {_and(symmetric)} have the same weights and will stay alike. "
            f"Cure: {REMEDIES['symmetric']}."
        )
    exploding = _exploding(start, epochs)
    if exploding:
        found.append(f"exploding: {exploding}. Cure: {REMEDIES['exploding']}.")
    ratio = gradient_ratio(first)
    if not symmetric and not exploding and ratio < VANISHING_RATIO:
        names = first.layers[0].name, first.layers[-2].name
        found.append(
            f"vanishing: the gradient of {names[0]} is {ratio:.1e} times that of {names[1]} "
            f"(below {VANISHING_RATIO:g}). Cure: {REMEDIES['vanishing']}."
        )
    if exploding:
        return found  # what the units answer then says nothing more
    for kind, limit in (("dead", DEAD_FRACTION), ("saturated", SATURATED_FRACTION)):
        bad = [layer for layer in last.layers if getattr(layer, kind) > limit]
        if bad:
            shares = ", ".join(f"{layer.name} ({getattr(layer, kind):.0%})" for layer in bad)
            things = "units answer 0 to every row" if kind == "dead" else "values lie where the slope is flat"
            found.append(f"{kind}: {things} in {shares}. Cure: {REMEDIES[kind]}.")
    return found


def _exploding(start: NetworkSummary | None, epochs: Sequence[NetworkSummary]) -> str:
    ratio = gradient_ratio(epochs[0])
    if ratio > EXPLODING_RATIO:
        return f"the gradient grows {ratio:.1e} times on its way down to {epochs[0].layers[0].name}"
    smallest = min(layer.gradient for layer in epochs[0].layers)
    if smallest > EXPLODING_GRADIENT:
        return f"the gradient of every layer is above {EXPLODING_GRADIENT:g} for each weight (at least {smallest:.1e})"
    for summary in epochs:
        if not math.isfinite(summary.loss) or any(
            not math.isfinite(each.weight_norm) for each in summary.layers
        ):
            return f"NaN or infinity in epoch {summary.epoch}"
    first, last = epochs[0], epochs[-1]
    if last.loss > LOSS_GROWTH * max(first.loss, 1e-12):
        return f"the training loss grew from {first.loss:.3g} to {last.loss:.3g}"
    begun = start or first
    for before, after in zip(begun.layers, last.layers, strict=True):
        # Weights that start at or near 0 may grow by any factor up to the usual size.
        size = max(before.weight_norm, before.reference_norm)
        if after.weight_norm > NORM_GROWTH * size:
            return (
                f"the weights of {after.name} grew to {after.weight_norm / size:.0f} times their usual size"
            )
    return ""


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
