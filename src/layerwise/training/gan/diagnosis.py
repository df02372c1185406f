"""From the figures of a game to verdicts in words: collapsed, vanishing, overpowered, oscillating."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

# The share of modes (classes, or known centres) that samples have to reach.
MIN_MODE_FRACTION = 0.7
# Samples lie so much nearer to each other than real rows do.
MIN_DIVERSITY = 0.5
# The slope of the generator's loss by the score. With minimax it is D(G(z)): 1/2 at the end of a good game. Below a
# fifth of that next to nothing is passed on.
MIN_LOSS_DERIVATIVE = 0.1
# Or the generator's gradient has shrunk so far since the first epochs.
MIN_GRADIENT_FRACTION = 1e-3
# The share of right answers from which the discriminator has won.
MAX_DISCRIMINATOR_ACCURACY = 0.95
# Samples of the same noise go so far within an epoch, in units of the rows' spread, and come back: of the way gone in
# the last third of the epochs, less than the share NET is left as distance.
MAX_MOVEMENT = 0.25
MIN_NET_FRACTION = 0.35

REMEDIES = {
    "collapsed": "packed rows (pac: 4), the objective wasserstein_penalty, instance_noise, or a lower "
    "generator_learning_rate",
    "vanishing": "the objective non_saturating, least_squares or wasserstein_penalty, and a weaker discriminator "
    "(label_smoothing, instance_noise, a lower discriminator_learning_rate)",
    "overpowered": "a lower discriminator_learning_rate, discriminator_steps: 1, label_smoothing: 0.1, instance_noise: 0.1, "
    "dropout in the discriminator, spectral_normalization, or r1",
    "oscillating": "r1: 1, lower rates, schedule: cosine, a larger ema_decay, or beta_1: 0",
}

Epochs = Sequence[Mapping[str, float]]


def diagnose_gan(epochs: Epochs) -> list[str]:
    """Return a sentence for everything that is wrong with a game; an empty list for one that goes well.

    Args:
        epochs: the loop's history with a `GANMonitor`'s figures. The last third of them is judged; what an epoch
            does not hold is not judged.
    """
    if not epochs:
        return []
    last = epochs[-max(1, len(epochs) // 3) :]
    found = [
        _collapsed(last),
        _vanishing(epochs, last),
        _overpowered(last),
        _oscillating(last),
    ]
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
            f"samples lie {diversity:.2f} times as far from each other as real rows do (below {MIN_DIVERSITY:g})"
        )
    return _sentence("collapsed", reasons)


def _vanishing(epochs: Epochs, last: Epochs) -> str:
    signal, reasons = _mean(last, "train/score_gradient"), []
    if signal < MIN_LOSS_DERIVATIVE:
        reasons.append(
            f"the slope of the generator's loss by the score is {signal:.1e} (below {MIN_LOSS_DERIVATIVE:g})"
        )
    first = max((epoch.get("train/generator_gradient", math.nan) for epoch in epochs[:3]), default=math.nan)
    now = _mean(last, "train/generator_gradient")
    if now < MIN_GRADIENT_FRACTION * first:
        reasons.append(f"the generator's gradient fell from {first:.1e} to {now:.1e}")
    return _sentence("vanishing", reasons)


def _overpowered(last: Epochs) -> str:
    accuracy = _mean(last, "train/discriminator_accuracy")
    if accuracy > MAX_DISCRIMINATOR_ACCURACY:
        return _sentence(
            "overpowered",
            [
                f"the discriminator is right about {accuracy:.1%} of rows (above {MAX_DISCRIMINATOR_ACCURACY:.0%})"
            ],
        )
    return ""


def _oscillating(last: Epochs) -> str:
    moved, net = (
        _mean(last, "samples/displacement"),
        last[-1].get("samples/net_displacement_fraction", math.nan),
    )
    if moved > MAX_MOVEMENT and net < MIN_NET_FRACTION:
        return _sentence(
            "oscillating",
            [
                f"samples of the same noise move {moved:.2f} spreads an epoch and end {net:.0%} of that way "
                f"from where they were (above {MAX_MOVEMENT:g} and below {MIN_NET_FRACTION:.0%})"
            ],
        )
    return ""


def _sentence(kind: str, reasons: Sequence[str]) -> str:
    return f"{kind}: {', and '.join(reasons)}. Remedy: {REMEDIES[kind]}." if reasons else ""
