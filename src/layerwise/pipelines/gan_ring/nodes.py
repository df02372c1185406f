"""Nodes that train GANs on the Gaussian-ring toy, and report the modes and the diagnosis of each."""

import logging

import torch
from matplotlib.figure import Figure

from layerwise.evaluation.metrics import LoggedMetric, LoggedMetrics
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
    SAMPLES,
    RingResults,
    RingSettings,
    sample_ring,
    train_ring_gans as train,
)
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)
MODE_IS_FOUND = (
    "A mode is found when at least a quarter of one eighth of the samples lie within three standard deviations of "
    "it."
)
DIAGNOSIS = (
    f"The last third of the epochs decides. Collapsed: below {MIN_MODE_FRACTION:.0%} of the modes, or samples "
    f"{MIN_DIVERSITY:g} times as far apart as real rows. Vanishing: the derivative of the generator's loss by the "
    f"score below {MIN_LOSS_DERIVATIVE:g}. Overpowered: the discriminator's accuracy above "
    f"{MAX_DISCRIMINATOR_ACCURACY:.0%}. Oscillating: samples of fixed noise move more than {MAX_MOVEMENT:g} "
    f"standard deviations an epoch, and their net displacement is below {MIN_NET_FRACTION:.0%} of the way they "
    "go."
)


def train_ring_gans(settings: RingSettings, seed: int) -> tuple[RingResults, Animation, LoggedMetrics]:
    """Train the default GAN with several seeds, the variants with the first of them; animate the first GAN."""
    device = choose_device(settings.count_parameters(), settings.batch_size, "gan_ring")
    found, sample_history = train(settings, seed, device)
    for run in found.root:
        log.info("%s, seed %d: %d of %d modes, %s", run.variant, run.seed, run.modes, N_MODES, run.kinds)
    real = sample_ring(SAMPLES, torch_rng(seed, "ring", "shown"))
    return found, animate_points(sample_history, real), _metrics(found)


def _metrics(found: RingResults) -> LoggedMetrics:
    """Return the modes of each GAN, with its seed as step."""
    return LoggedMetrics(
        tuple(
            LoggedMetric(
                name=f"ring/{run.variant.replace(', ', '_').replace(' ', '_')}/modes",
                value=run.modes,
                step=run.seed,
            )
            for run in found.root
        )
    )


def plot_ring_samples(results: RingResults, seed: int) -> Figure:
    """Plot the samples of every GAN over points of the ring."""
    real = sample_ring(SAMPLES, torch_rng(seed, "ring", "shown"))
    panels = {
        f"{run.variant}, seed {run.seed}\n{run.modes} of {N_MODES} modes": torch.tensor(run.samples)
        for run in results.root
    }
    return plot_scatter_grid(panels, real, title="Samples of GANs on the Gaussian ring")


def plot_sample_progress(animation: Animation) -> Figure:
    """Plot the default GAN's samples of fixed noise at several epochs."""
    return plot_frames(animation, title="The default GAN: samples of fixed noise")


def write_report(results: RingResults) -> str:
    """Return the report of all GANs, in Markdown."""
    head = ["variant", "seed", "modes found", "samples in a mode", "diagnosis"]
    rows = [
        [run.variant, run.seed, f"{run.modes} of {N_MODES}", f"{run.in_modes:.0%}", run.kinds]
        for run in results.root
    ]
    failures = [f"- {run.variant}, seed {run.seed}: {each}" for run in results.root for each in run.diagnoses]
    parts = ["# GANs on the Gaussian ring", table(head, rows), MODE_IS_FOUND, "## Diagnosis"]
    return "\n\n".join([*parts, "\n".join(failures) or "No failure.", DIAGNOSIS]) + "\n"
