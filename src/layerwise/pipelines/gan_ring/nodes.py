"""Nodes that train GANs on the Gaussian-ring toy, and report the modes and the diagnosis of each."""

import logging
from typing import Any

import torch
from matplotlib.figure import Figure

from layerwise.evaluation.plots import Animation, animate_points, plot_frames, plot_scatter_grid
from layerwise.evaluation.reports import table
from layerwise.training.gan import (
    MAX_DISCRIMINATOR_ACCURACY,
    MAX_MOVEMENT,
    MIN_DIVERSITY,
    MIN_LOSS_DERIVATIVE,
    MIN_MODE_FRACTION,
    MIN_NET_FRACTION,
    N_MODES,
    RingSettings,
    count_modes,
    sample_ring,
    train_ring_gan,
)
from layerwise.utils import choose_device, dense_parameters, report_metrics, torch_rng

log = logging.getLogger(__name__)
SAMPLES = 1000


def train_ring_gans(settings: RingSettings, seed: int) -> tuple[list[dict[str, Any]], Animation]:
    """Train the default GAN with several seeds, the variants with the first of them; animate the first GAN."""
    found: list[dict[str, Any]] = []
    animation: Animation = []
    real = sample_ring(SAMPLES, torch_rng(seed, "ring", "shown"))
    runs = [("default", seed + k) for k in range(settings.seeds)]
    runs += [(name, seed) for name in settings.variants]
    sizes = settings.hidden_sizes
    size = dense_parameters(settings.latent_size, *sizes, 2) + dense_parameters(2, *sizes, 1)
    device = choose_device(size, settings.batch_size, "gan_ring")
    for name, own_seed in runs:
        own = settings.with_variant(name)
        result = train_ring_gan(own, own_seed, name=f"ring, {name}, {own_seed}", device=device)
        samples = result.generator.sample(SAMPLES, torch_rng(own_seed, "ring", "samples"))
        modes, fraction_in_modes = count_modes(samples)
        found.append(
            {
                "variant": name,
                "seed": own_seed,
                "modes": modes,
                "in_modes": fraction_in_modes,
                "diagnoses": result.diagnoses,
                "seconds": result.seconds,
                "last": result.history[-1],
                "samples": samples.tolist(),
            }
        )
        log.info("%s, seed %d: %d of %d modes, %s", name, own_seed, modes, N_MODES, _kinds(result.diagnoses))
        report_metrics({f"ring/{name.replace(', ', '_').replace(' ', '_')}/modes": float(modes)}, own_seed)
        animation = animation or animate_points(result.sample_history, real)
    return found, animation


def _kinds(diagnoses: list[str]) -> str:
    return ", ".join(diagnosis.split(":")[0] for diagnosis in diagnoses) or "no failure"


def plot_ring_samples(runs: list[dict[str, Any]], seed: int) -> Figure:
    """Plot the samples of every GAN over points of the ring."""
    real = sample_ring(SAMPLES, torch_rng(seed, "ring", "shown"))
    panels = {
        f"{run['variant']}, seed {run['seed']}\n{run['modes']} of {N_MODES} modes": torch.tensor(
            run["samples"]
        )
        for run in runs
    }
    return plot_scatter_grid(panels, real, title="Samples of GANs on the Gaussian ring")


def plot_sample_progress(animation: list[tuple[int, Any]]) -> Figure:
    """Plot the default GAN's samples of fixed noise at several epochs."""
    return plot_frames(animation, title="The default GAN: samples of fixed noise")


def write_report(runs: list[dict[str, Any]]) -> str:
    """Return the report of all GANs, in Markdown."""
    head = ["variant", "seed", "modes found", "samples in a mode", "diagnosis"]
    rows = [
        [
            run["variant"],
            run["seed"],
            f"{run['modes']} of {N_MODES}",
            f"{run['in_modes']:.0%}",
            _kinds(run["diagnoses"]),
        ]
        for run in runs
    ]
    summary = "\n".join(
        f"- {run['variant']}, seed {run['seed']}: {diagnosis}"
        for run in runs
        for diagnosis in run["diagnoses"]
    )
    return (
        "# GANs on the Gaussian ring\n\n"
        f"{table(head, rows)}\n\n"
        "A mode is found when at least a quarter of one eighth of the samples lie within three standard deviations of "
        "it.\n\n"
        f"## Diagnosis\n\n{summary or 'No failure.'}\n\n"
        f"The last third of the epochs decides. Collapsed: below {MIN_MODE_FRACTION:.0%} of the modes, or samples "
        f"{MIN_DIVERSITY:g} times as far apart as real rows. Vanishing: the derivative of the generator's loss by the "
        f"score below {MIN_LOSS_DERIVATIVE:g}. Overpowered: the discriminator's accuracy above "
        f"{MAX_DISCRIMINATOR_ACCURACY:.0%}. Oscillating: samples of fixed noise move more than {MAX_MOVEMENT:g} "
        f"standard deviations an epoch, and their net displacement is below {MIN_NET_FRACTION:.0%} of the way they "
        "go.\n"
    )
