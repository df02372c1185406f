"""Up-down training of a whole deep belief network: the contrastive wake-sleep algorithm.

Hinton, Osindero & Teh (2006), section 5 and appendix B. Wake: rows are led up by the recognition weights, sampled at
each layer, and each layer down learns to give what is below it. The top RBM learns by CD-k from there. Sleep: the end
of its chain is led down, and each layer up learns to recognize what it came from.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from layerwise.data import TensorData
from layerwise.data.transforms import make_dynamic_binarization
from layerwise.models.rbm import DBN
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.loop import fit
from layerwise.training.optim import OptimizerSettings
from layerwise.training.plan import Losses
from layerwise.training.rbm.settings import UpDownSettings
from layerwise.utils import torch_rng


class UpDown(GradientPlan):
    """Follow the gradients of the wake phase, of contrastive divergence at the top, and of the sleep phase.

    Each is a term of the cost: -log p of each layer given the states above it, the difference of the top RBM's free
    energies, and -log q of the states that were sampled on the way down. No parameter has a gradient of two of them but
    the variances of Gaussian units, which the wake phase alone moves.

    Args:
        stack: of untied weights; learns in place.
        settings: the rate and the Gibbs steps.
        rng: samples the states, on the stack's device.
    """

    def __init__(self, stack: DBN, settings: UpDownSettings, rng: torch.Generator) -> None:
        stack.requires_grad_(True)
        optimizer = OptimizerSettings(
            optimizer="momentum", learning_rate=settings.learning_rate, momentum=0.9, schedule="cosine"
        )
        super().__init__(stack, optimizer, {"states": rng})
        self.steps, self.rng = settings.steps, rng
        *self.lower, self.top = stack.rbm_layers()

    @torch.no_grad()
    def sample_states(self, rows: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the states of the wake phase from the rows up, and those of the sleep phase from the top RBM down.

        Binary visible units end the sleep phase as means, which the rows may be too (grey pixels).
        """
        wake = [rows]
        for rbm in self.lower:
            wake.append(rbm.sample_hidden(wake[-1], self.rng))
        sleep = [self.top.gibbs(wake[-1], self.steps, self.rng)]
        for rbm in reversed(self.lower):
            mean = rbm.visible_mean(sleep[-1])
            as_mean = rbm is self.lower[0] and rbm.visible_units.binary
            sleep.append(mean if as_mean else rbm.visible_units.sample(mean, self.rng))
        return wake, sleep

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean over rows of the three terms, and the first and the last of each row."""
        wake, sleep = self.sample_states(batch.inputs)
        generative, recognition = (batch.inputs.new_zeros(len(batch)) for _ in range(2))
        for rbm, (below, above) in zip(self.lower, pairwise(wake), strict=True):
            generative = generative + rbm.visible_units.loss(rbm.visible_pre_activation(above), below)
        for rbm, (above, below) in zip(reversed(self.lower), pairwise(sleep), strict=True):
            recognition = recognition + rbm.hidden_units.loss(rbm.hidden_pre_activation(below), above)
        contrast = self.top.free_energy(wake[-1]) - self.top.free_energy(sleep[0])
        cost = (generative + contrast + recognition).mean()
        return cost, {"generative": generative, "recognition": recognition}

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return the loss of each row's reconstruction through the whole stack, without sampling."""
        stack = self.network
        assert isinstance(stack, DBN)
        first = stack.rbm_layers()[0]
        h = stack.encode(batch.inputs)
        for rbm in reversed(stack.rbm_layers()[1:]):
            h = rbm.visible_mean(h)
        return {"reconstruction": first.visible_units.loss(first.visible_pre_activation(h), batch.inputs)}


def train_up_down(
    stack: DBN,
    training: TensorData,
    validation: TensorData | None,
    settings: UpDownSettings,
    batch_size: int,
    seed: int,
    dynamic_binarization: bool = False,
    silent: bool = False,
) -> tuple[list[dict[str, float]], float]:
    """Train a whole stack in place, whose layers have learnt one by one; its weights are untied first.

    Args:
        stack: the belief network.
        training: inputs (n, n_visible); targets are not read.
        validation: rows that are evaluated and never learnt from.
        settings: epochs, rate and Gibbs steps.
        batch_size: rows a step.
        seed: of the run.
        dynamic_binarization: read each input as a probability and sample it anew for every batch.
        silent: report nothing.

    Returns:
        The metrics of each epoch, and the seconds that it took.
    """
    stack.untie()
    device = training.device
    progress = fit(
        UpDown(stack, settings, torch_rng(seed, "pretraining", "up_down", "states", device=device)),
        training,
        epochs=settings.epochs,
        batch_size=batch_size,
        rng=torch_rng(seed, "pretraining", "up_down", "order"),
        validation=validation,
        transform=make_dynamic_binarization(seed, device, "up_down") if dynamic_binarization else None,
        name="up-down training",
        monitor="train/generative",
        prefix="pretraining/up_down",
        quiet=silent,
    )
    stack.requires_grad_(False)
    return progress.history, progress.seconds
