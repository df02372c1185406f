"""Diagnosis of a GAN from its metrics: mode collapse, vanishing gradients, a too strong D, oscillation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

# The fraction of modes (classes, or known centres) that samples have to reach.
MIN_MODE_FRACTION = 0.7
# The mean distance of a sample to its nearest other one, over the same of real rows.
MIN_DIVERSITY = 0.5
# |d generator loss / d score|. With minimax it is D(G(z)), which ends at 1/2 where training goes well; below a
# fifth of that the generator hardly learns.
MIN_LOSS_DERIVATIVE = 0.1
# The norm of the generator's gradient, over that of the first epochs.
MIN_GRADIENT_FRACTION = 1e-3
# Above this accuracy the discriminator is too strong.
MAX_DISCRIMINATOR_ACCURACY = 0.95
# Samples of fixed noise oscillate if they move this far in an epoch, in standard deviations of the real rows, and the
# net displacement over the last third of the epochs is below this fraction of the way they went.
MAX_MOVEMENT = 0.25
MIN_NET_FRACTION = 0.35

# A name with a key in front is a parameter of that key alone; the others are settings of every GAN.
REMEDIES = {
    "collapsed": "packed rows (gan.pac: 4), the objective wasserstein_penalty, instance_noise, or a lower "
    "generator_learning_rate",
    "vanishing": "the objective non_saturating, least_squares or wasserstein_penalty, and a weaker discriminator "
    "(label_smoothing, instance_noise, a lower discriminator_learning_rate)",
    "overpowered": "a lower discriminator_learning_rate, discriminator_steps: 1, label_smoothing: 0.1, "
    "instance_noise: 0.1, gan.dropout: 0.3, gan.spectral_normalization: true, or r1: 1",
    "oscillating": "r1: 1, lower learning rates, schedule: cosine, a larger ema_decay, or beta_1: 0",
}

Epochs = Sequence[Mapping[str, float]]


def diagnose_gan(epochs: Epochs) -> list[str]:
    """Return a sentence for each failure, with its remedy; an empty list where training went well.

    Args:
        epochs: the loop's history with the metrics of a `GANMonitor`. The last third of the epochs decides;
            a metric that is missing is left out.
    """
    if not epochs:
        return []
    last = epochs[-max(1, len(epochs) // 3) :]
    found = [_collapsed(last), _vanishing(epochs, last), _overpowered(last), _oscillating(last)]
    return [sentence for sentence in found if sentence]


def _mean(epochs: Epochs, name: str) -> float:
    values = [epoch[name] for epoch in epochs if name in epoch]
    return sum(values) / len(values) if values else math.nan


def _collapsed(last: Epochs) -> str:
    modes, known, diversity = (
        _mean(last, f"samples/{name}") for name in ("modes", "known_modes", "diversity")
    )
    reasons = []
    if modes < MIN_MODE_FRACTION * known:
        reasons.append(f"samples reach {modes:.1f} of {known:.0f} modes (below {MIN_MODE_FRACTION:.0%})")
    if diversity < MIN_DIVERSITY:
        reasons.append(
            f"samples lie {diversity:.2f} times as far from each other as real rows (below {MIN_DIVERSITY:g})"
        )
    return _sentence("collapsed", reasons)


def _vanishing(epochs: Epochs, last: Epochs) -> str:
    derivative, reasons = _mean(last, "train/score_gradient"), []
    if derivative < MIN_LOSS_DERIVATIVE:
        reasons.append(
            f"the derivative of the generator's loss by the score is {derivative:.1e} "
            f"(below {MIN_LOSS_DERIVATIVE:g})"
        )
    first = max((epoch.get("train/generator_gradient", math.nan) for epoch in epochs[:3]), default=math.nan)
    now = _mean(last, "train/generator_gradient")
    if now < MIN_GRADIENT_FRACTION * first:
        reasons.append(f"the generator's gradient fell from {first:.1e} to {now:.1e}")
    return _sentence("vanishing", reasons)


def _overpowered(last: Epochs) -> str:
    accuracy = _mean(last, "train/discriminator_accuracy")
    reasons = []
    if accuracy > MAX_DISCRIMINATOR_ACCURACY:
        reasons.append(
            f"the discriminator's accuracy is {accuracy:.1%} (above {MAX_DISCRIMINATOR_ACCURACY:.0%})"
        )
    return _sentence("overpowered", reasons)


def _oscillating(last: Epochs) -> str:
    displacement = _mean(last, "samples/displacement")
    net = last[-1].get("samples/net_displacement_fraction", math.nan)
    reasons = []
    if displacement > MAX_MOVEMENT and net < MIN_NET_FRACTION:
        reasons.append(
            f"samples of fixed noise move {displacement:.2f} standard deviations an epoch, and their net displacement "
            f"is {net:.0%} of the way they go (above {MAX_MOVEMENT:g} and below {MIN_NET_FRACTION:.0%})"
        )
    return _sentence("oscillating", reasons)


def _sentence(kind: str, reasons: Sequence[str]) -> str:
    return f"{kind}: {', and '.join(reasons)}. Remedy: {REMEDIES[kind]}." if reasons else ""
