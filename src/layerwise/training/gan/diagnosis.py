"""From the figures of a game to verdicts in words: collapsed, vanishing, overpowered, oscillating."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

# The share of modes (classes, or known centres) that samples have to reach.
FOUND_SHARE = 0.7
# Samples lie so much nearer to each other than real rows do.
DIVERSITY = 0.5
# The slope of the generator's loss by the score. With minimax it is D(G(z)): 1/2 at the end of a good game. Below a
# fifth of that next to nothing is passed on.
SIGNAL = 0.1
# Or the generator's gradient has shrunk so far since the first epochs.
GRADIENT_SHARE = 1e-3
# The share of right answers from which the discriminator has won.
WON = 0.95
# Samples of the same noise go so far within an epoch, in units of the rows' spread, and come back: of the way gone in
# the last third of the epochs, less than the share NET is left as distance.
MOVED = 0.25
NET = 0.35

CURES = {
    "collapsed": "packed rows (discriminator.packed: 4), the objective wasserstein_penalty, instance_noise, or a lower "
    "generator_rate",
    "vanishing": "the objective non_saturating, least_squares or wasserstein_penalty, and a weaker discriminator "
    "(label_smoothing, instance_noise, a lower discriminator_rate)",
    "overpowered": "a lower discriminator_rate, discriminator_steps: 1, label_smoothing: 0.1, instance_noise: 0.1, "
    "dropout in the discriminator, spectral, or r1",
    "oscillating": "r1: 1, lower rates, schedule: cosine, a longer average, or beta_1: 0",
}

Epochs = Sequence[Mapping[str, float]]


def verdicts(epochs: Epochs) -> list[str]:
    """Return a sentence for everything that is wrong with a game; an empty list for one that goes well.

    Args:
        epochs: the loop's history with a `GameMonitor`'s figures. The last third of them is judged; what an epoch
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
    if modes < FOUND_SHARE * known:
        reasons.append(f"samples reach {modes:.1f} of {known:.0f} modes (below {FOUND_SHARE:.0%})")
    if diversity < DIVERSITY:
        reasons.append(
            f"samples lie {diversity:.2f} times as far from each other as real rows do (below {DIVERSITY:g})"
        )
    return _sentence("collapsed", reasons)


def _vanishing(epochs: Epochs, last: Epochs) -> str:
    signal, reasons = _mean(last, "train/signal"), []
    if signal < SIGNAL:
        reasons.append(f"the slope of the generator's loss by the score is {signal:.1e} (below {SIGNAL:g})")
    first = max((epoch.get("train/generator_gradient", math.nan) for epoch in epochs[:3]), default=math.nan)
    now = _mean(last, "train/generator_gradient")
    if now < GRADIENT_SHARE * first:
        reasons.append(f"the generator's gradient fell from {first:.1e} to {now:.1e}")
    return _sentence("vanishing", reasons)


def _overpowered(last: Epochs) -> str:
    right = _mean(last, "train/discriminator_accuracy")
    if right > WON:
        return _sentence(
            "overpowered", [f"the discriminator is right about {right:.1%} of rows (above {WON:.0%})"]
        )
    return ""


def _oscillating(last: Epochs) -> str:
    moved, net = _mean(last, "samples/moved"), last[-1].get("samples/net_share", math.nan)
    if moved > MOVED and net < NET:
        return _sentence(
            "oscillating",
            [
                f"samples of the same noise move {moved:.2f} spreads an epoch and end {net:.0%} of that way "
                f"from where they were (above {MOVED:g} and below {NET:.0%})"
            ],
        )
    return ""


def _sentence(kind: str, reasons: Sequence[str]) -> str:
    return f"{kind}: {', and '.join(reasons)}. Cure: {CURES[kind]}." if reasons else ""
