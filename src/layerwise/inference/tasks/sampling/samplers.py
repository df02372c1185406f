"""Draw rows from an RBM, a deep belief network or a variational autoencoder, given some of their columns or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from layerwise.inference.tasks.base import TaskError
from layerwise.models.autoencoder import LatentVariableModel, sample_latents
from layerwise.models.gan import Generator
from layerwise.models.rbm import DBM, DBN, RBM, with_labels
from layerwise.parameters import TaskSettings
from layerwise.utils import nearest, torch_rng

if TYPE_CHECKING:
    from layerwise.inference.model import TrainedModel


def sampling_rng(model: TrainedModel, seed: int) -> torch.Generator:
    """Return the random stream of samples, where the network draws: a generator on the CPU, others where they are."""
    return torch_rng(seed, "sample", device="cpu" if isinstance(model.network, Generator) else model.device)


def sample_network(model: TrainedModel, settings: TaskSettings, rng: torch.Generator) -> Tensor:
    """Return n rows (n, n_inputs) of the network's distribution, on the CPU; images are means of pixels.

    The chains of an RBM and of a stack start at hidden units that are coin flips.
    """
    if settings.label:
        none = torch.zeros(settings.n, model.columns.n_inputs)
        return sample_rest(model, none, torch.ones_like(none, dtype=torch.bool), settings, rng)
    network, n = model.network, settings.n
    with torch.no_grad():
        if isinstance(network, RBM):
            return _after_steps(network, _coin_flips(network, n, rng), settings.steps, rng, model)
        if isinstance(network, DBN | DBM):
            return network.sample(n, settings.steps, rng).cpu()
        assert isinstance(network, LatentVariableModel)
        return network.sample(n, rng, sample_outputs=not model.has_image_inputs).cpu()


def sample_rest(
    model: TrainedModel, inputs: Tensor, missing: Tensor, settings: TaskSettings, rng: torch.Generator
) -> Tensor:
    """Return rows whose missing inputs are drawn given the others, (n, n_inputs) on the CPU.

    An RBM clamps what is given and takes Gibbs steps in the rest; a variational autoencoder draws latents of the row
    and the rest of the row of them, in turn (pseudo-Gibbs; Rezende et al. 2014, appendix F).

    Args:
        model: of an RBM or a variational autoencoder.
        inputs: (n, n_inputs); what is missing is not read.
        missing: (n, n_inputs) bool.
        settings: with the steps.
        rng: of `sampling_rng`.
    """
    network = model.network
    inputs, missing = inputs.to(model.device), missing.to(model.device)
    with torch.no_grad():
        if isinstance(network, RBM):
            n_inputs = inputs.shape[1]
            if settings.label:
                network, inputs, missing = _with_label(model, inputs, missing, settings.label)
            start = torch.where(missing, _coin_flips(network, len(inputs), rng), inputs)
            return _after_steps(network, start, settings.steps, rng, model, ~missing)[:, :n_inputs]
        assert isinstance(network, LatentVariableModel)
        rows = torch.where(missing, network.sample(len(inputs), rng, sample_outputs=True), inputs)
        for _ in range(settings.steps):
            latents, _ = sample_latents(*network.posterior(rows), rng)
            drawn = network.output.sample(network.decode_pre_activation(latents), rng)
            rows = torch.where(missing, drawn, inputs)
        return rows.cpu()


def validate_label(model: TrainedModel, label: str) -> None:
    """Refuse a class that cannot be sampled.

    Raises:
        TaskError: the model holds no RBM with label units, or there is no such class.
    """
    names = list(model.columns.class_names)
    if model.parts.classification_rbm is None:
        raise TaskError("this model has no label units, and so no use for label")
    if label not in names:
        raise TaskError(f"there is no class '{label[:60]}'{nearest(label, names)}")


def _with_label(
    model: TrainedModel, inputs: Tensor, missing: Tensor, label: str
) -> tuple[RBM, Tensor, Tensor]:
    """Return the RBM with label units, the rows with the label of a class behind them, and what is missing."""
    rbm = model.parts.classification_rbm
    assert rbm is not None
    code = model.columns.class_names.index(label)
    classes = torch.full((len(inputs),), code, device=inputs.device)
    both = with_labels(inputs, classes, model.columns.n_classes)
    known = missing.new_zeros(len(inputs), model.columns.n_classes)
    return rbm.to(model.device), both, torch.cat([missing, known], 1)


def _coin_flips(rbm: RBM, n: int, rng: torch.Generator) -> Tensor:
    """Return visible states given hidden ones that are 0 or 1 alike, (n, n_visible)."""
    hidden = rbm.weight.new_empty(n, rbm.config.n_hidden).uniform_(generator=rng).round_()
    return rbm.sample_visible(hidden, rng)


def _after_steps(
    rbm: RBM,
    start: Tensor,
    steps: int,
    rng: torch.Generator,
    model: TrainedModel,
    clamped: Tensor | None = None,
) -> Tensor:
    """Return the visible units after Gibbs steps; of images their means given the last hidden states."""
    visible = rbm.gibbs(start, steps - 1 if model.has_image_inputs else steps, rng, clamped)
    if model.has_image_inputs:
        means = rbm.visible_mean(rbm.sample_hidden(visible, rng))
        visible = means if clamped is None else torch.where(clamped, start, means)
    return visible.cpu()
