"""Play games on the ring of eight normal distributions, and say what became of each."""

import logging
from typing import Any

import torch
from matplotlib.figure import Figure

from layerwise.evaluation.plots.animation import Animation, animate_points
from layerwise.evaluation.plots.gan import plot_frames, plot_scatter_grid
from layerwise.training.gan.diagnosis import (
    MAX_DISCRIMINATOR_ACCURACY,
    MAX_MOVEMENT,
    MIN_DIVERSITY,
    MIN_LOSS_DERIVATIVE,
    MIN_MODE_FRACTION,
    MIN_NET_FRACTION,
)
from layerwise.training.gan.gaussian_ring import (
    N_MODES,
    RingSettings,
    count_modes,
    sample_ring,
    train_ring_gan,
)
from layerwise.utils.random_streams import torch_rng
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)
SAMPLES = 1000


def train_ring_gans(settings: RingSettings, seed: int) -> tuple[list[dict[str, Any]], Animation]:
    """Play the default game on several seeds, and other games on the first of them; film the default one."""
    found: list[dict[str, Any]] = []
    animation: Animation = []
    real = sample_ring(SAMPLES, torch_rng(seed, "ring", "shown"))
    plan = [("default", seed + k) for k in range(settings.seeds)]
    plan += [(name, seed) for name in settings.variants]
    for name, own in plan:
        result = train_ring_gan(settings.with_variant(name), own, name=f"ring, {name}, {own}")
        samples = result.generator.sample(SAMPLES, torch_rng(own, "ring", "samples"))
        modes, fraction_in_modes = count_modes(samples)
        found.append(
            {
                "variant": name,
                "seed": own,
                "modes": modes,
                "in_modes": fraction_in_modes,
                "diagnoses": result.diagnoses,
                "seconds": result.seconds,
                "last": result.history[-1],
                "samples": samples.tolist(),
            }
        )
        summary = ", ".join(diagnosis.split(":")[0] for diagnosis in result.diagnoses) or "nothing wrong"
        log.info("%s, seed %d: %d of %d modes, %s", name, own, modes, N_MODES, summary)
        report_metrics({f"ring/{name.replace(', ', '_').replace(' ', '_')}/modes": float(modes)}, own)
        animation = animation or animate_points(result.sample_history, real)
    return found, animation


def plot_ring_samples(runs: list[dict[str, Any]], seed: int) -> Figure:
    """Draw the samples of every game over points of the ring."""
    real = sample_ring(SAMPLES, torch_rng(seed, "ring", "shown"))
    panels = {
        f"{run['variant']}, seed {run['seed']}\n{run['modes']} of {N_MODES} modes": torch.tensor(
            run["samples"]
        )
        for run in runs
    }
    return plot_scatter_grid(panels, real, title="Games on the ring of eight")


def plot_sample_progress(animation: list[tuple[int, Any]]) -> Figure:
    """Draw the default game's samples of the same noise at stages of training."""
    return plot_frames(animation, title="The default game: samples of the same noise")


def write_report(runs: list[dict[str, Any]]) -> str:
    """Write down what became of each game, in Markdown."""
    head = ["variant", "seed", "modes found", "samples in a mode", "diagnosis"]
    lines = [
        [
            run["variant"],
            str(run["seed"]),
            f"{run['modes']} of {N_MODES}",
            f"{run['in_modes']:.0%}",
            ", ".join(diagnosis.split(":")[0] for diagnosis in run["diagnoses"]) or "nothing wrong",
        ]
        for run in runs
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])
    summary = "\n".join(
        f"- {run['variant']}, seed {run['seed']}: {diagnosis}"
        for run in runs
        for diagnosis in run["diagnoses"]
    )
    return (
        "# Games on the ring of eight\n\n"
        f"{table}\n\nA mode is found when a quarter of its fair share of samples lie within three deviations of it.\n\n"
        f"## Verdicts\n\n{summary or 'None.'}\n\n"
        f"The last third of the epochs is judged. Collapsed: below {MIN_MODE_FRACTION:.0%} of the modes, or samples "
        f"{MIN_DIVERSITY:g} times as far apart as real rows. Vanishing: the slope of the generator's loss by the score "
        f"below {MIN_LOSS_DERIVATIVE:g}. Overpowered: the discriminator right about more than {MAX_DISCRIMINATOR_ACCURACY:.0%} of rows. Oscillating: "
        f"samples of the same noise move more than {MAX_MOVEMENT:g} spreads an epoch and end less than {MIN_NET_FRACTION:.0%} of that way "
        "from where they were.\n"
    )
