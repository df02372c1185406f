"""Nodes that plot what GANs make of images, each beside what was given and what is true."""

import torch
from matplotlib.figure import Figure

from layerwise.data import DataSpec, TensorData, describe_shape
from layerwise.data.transforms import upsample
from layerwise.evaluation import plots
from layerwise.models.gan import Generator
from layerwise.pipelines.gan_applications.nodes import (
    FACTOR,
    N_PREDICTED,
    SHOWN,
    given_of,
    image_shape,
    small_shape,
)
from layerwise.training.gan import PairSettings, rollout
from layerwise.utils import torch_rng

# Points of a traversal, and the standard deviations that it goes to either side: noise seldom comes from beyond.
STEPS, TRAVERSED = 9, 2


def plot_translation(pairs: TensorData, images: TensorData, columns: DataSpec) -> Figure:
    """Plot corrupted images, the restored ones and the true ones."""
    lines = {
        "given": given_of(pairs)[:SHOWN],
        "generated": images.inputs[:SHOWN],
        "true": pairs.inputs[:SHOWN],
    }
    title = "Half-covered and noisy images restored"
    return plots.plot_image_rows(lines, image_shape(columns), title=title)


def plot_super_resolution(pairs: TensorData, images: TensorData, columns: DataSpec) -> Figure:
    """Plot small images, enlarged by interpolation and by the GAN, and the true ones."""
    shape, small, given = image_shape(columns), small_shape(columns), given_of(pairs)[:SHOWN]
    blocks = given.reshape(-1, *small).repeat_interleave(FACTOR, 1).repeat_interleave(FACTOR, 2)
    lines = {
        f"given, {small[0]} x {small[1]}": blocks.flatten(1),
        "bilinear": upsample(given, small, FACTOR),
        "generated": images.inputs[:SHOWN],
        "true": pairs.inputs[:SHOWN],
    }
    title = f"From {small[0]} x {small[1]} to {describe_shape(shape)}"
    return plots.plot_image_rows(lines, shape, title=title)


def plot_next_frame(
    generator: Generator, videos: TensorData, columns: DataSpec, settings: PairSettings, seed: int
) -> Figure:
    """Plot videos, and what is predicted of them after their first frames, each frame from those before it."""
    n_given = settings.frames
    true = videos.inputs.reshape(len(videos), n_given + N_PREDICTED, -1)
    predicted = rollout(generator, true[:, :n_given], N_PREDICTED, seed)
    lines = {}
    for k in range(len(true)):
        lines[f"true {k + 1}"] = true[k]
        lines[f"predicted {k + 1}"] = torch.cat([true[k, :n_given], predicted[k]])
    captions = [f"given {k + 1}" for k in range(n_given)] + [f"frame {k + 1}" for k in range(N_PREDICTED)]
    title = f"{n_given} frames given, {N_PREDICTED} predicted one from another"
    return plots.plot_image_rows(lines, image_shape(columns), title=title, captions=captions)


def plot_latent_traversal(generator: Generator, columns: DataSpec, seed: int) -> Figure:
    """Plot each class along the first latent number."""
    z = generator.noise(1, torch_rng(seed, "page")).repeat(STEPS, 1)
    z[:, 0] = torch.linspace(-TRAVERSED, TRAVERSED, STEPS)
    names, lines = columns.class_names if generator.config.n_conditions else ("samples",), {}
    with torch.no_grad():
        for k, name in enumerate(names):
            condition = torch.eye(len(names))[[k] * STEPS] if generator.config.n_conditions else None
            lines[name] = generator(z, condition)
    title = f"The first latent number from -{TRAVERSED} to {TRAVERSED}, for each class"
    return plots.plot_image_rows(lines, image_shape(columns), title=title)
