"""Pretraining of a deep belief network: its RBMs learn bottom up (Hinton, Osindero & Teh 2006)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from layerwise.data import DataSpec, TensorData, rows_for_training
from layerwise.models.rbm import DBN, RBM, DBNConfig
from layerwise.training.callbacks import Callback, ReconstructionHistory, rbm_reconstruction_history
from layerwise.training.greedy import PretrainingResult, pretrain_greedily
from layerwise.training.rbm.compatibility import require_useful_settings
from layerwise.training.rbm.contrastive_divergence import ContrastiveDivergence
from layerwise.training.rbm.monitor import TrainingRowsMonitor
from layerwise.training.rbm.settings import PretrainingSettings
from layerwise.training.rbm.starting import start_from, where_all_rows_lie
from layerwise.training.rbm.up_down import train_up_down
from layerwise.utils import choose_device, torch_rng


def pretrain_dbn(
    stack: DBN,
    training: TensorData,
    validation: TensorData | None,
    settings: PretrainingSettings,
    seed: int,
    dynamic_binarization: bool = False,
    silent: bool = False,
    started: int = 0,
) -> PretrainingResult:
    """Train each RBM on the activations of the one below, bottom up; then all of them together, if it is asked for.

    Args:
        stack: the RBMs; they learn in place.
        training: inputs (n, n_visible); targets are not read.
        validation: rows that are evaluated and never learnt from.
        settings: how the layers learn.
        seed: of the run.
        dynamic_binarization: read each input as a probability and sample it anew for every batch of the first RBM.
        silent: report nothing.
        started: RBMs from the bottom that go on from the weights that they have.

    Raises:
        TrainingError: a list of the settings is shorter than the stack, or a metric is not finite.
    """
    rbms = stack.rbm_layers()
    require_useful_settings(rbms, settings)
    # A list that is too short for the stack is found before the first layer has taken its time.
    chosen = [settings.for_layer(k, rbm.has_real_units) for k, rbm in enumerate(rbms)]
    result = pretrain_greedily(
        _RBMLayers(rbms, chosen, seed, started),
        training,
        validation,
        settings.layer_epochs(len(rbms)),
        settings.batch_size,
        seed,
        dynamic_binarization,
        silent,
    )
    if not settings.up_down.epochs:
        return result
    history, seconds = train_up_down(
        stack, training, validation, settings.up_down, settings.batch_size, seed, dynamic_binarization, silent
    )
    layers = result.history | {"up_down": history}
    return replace(result, history=layers, seconds=result.seconds + seconds)


def pretrain_new_dbn(
    hidden_sizes: tuple[int, ...],
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: PretrainingSettings,
    seed: int,
    silent: bool = False,
    source: tuple[nn.Module, str] | None = None,
) -> tuple[DBN, PretrainingResult]:
    """Make a DBN whose visible units suit the columns, and train it where that is fastest; it ends on the CPU.

    Args:
        hidden_sizes: units of each hidden layer.
        training: inputs (n, n_inputs); targets are not read.
        validation: rows that are evaluated and never learnt from.
        columns: what the inputs are.
        settings: how the layers learn.
        seed: of the run.
        silent: report nothing.
        source: a trained network that the lowest layers start from, and its name in messages.

    Raises:
        TrainingError: the source has another shape.
    """
    visible = settings.visible
    if visible == "auto":
        visible = "bernoulli" if columns.bounded or columns.image_shape else "gaussian"
    shape = DBNConfig(
        n_visible=columns.n_inputs,
        hidden_sizes=hidden_sizes,
        visible=visible,
        learn_variance=settings.learn_variance,
        dropout=settings.dropout,
    )
    stack = DBN(shape, torch_rng(seed, "stack"))
    started = 0 if source is None else start_from(stack, *source)
    device = choose_device(stack, settings.batch_size, "pretraining")
    rows, held_out = rows_for_training(training, device), rows_for_training(validation, device)
    result = pretrain_dbn(
        stack.to(device), rows, held_out, settings, seed, columns.dynamic_binarization, silent, started
    )
    return stack.cpu(), result


@dataclass(frozen=True)
class _RBMLayers:
    """How the RBMs of a stack start, learn and pass features on."""

    rbms: list[RBM]
    settings: list[PretrainingSettings]
    seed: int
    # So many layers have weights of a trained network, and go on from them.
    started: int = 0
    metric: str = "train/reconstruction"

    def reconstruction_history(self, row: Tensor) -> ReconstructionHistory:
        return rbm_reconstruction_history(self.rbms[0], row)

    def make_plan(self, layer: int, name: str, rows: TensorData) -> ContrastiveDivergence:
        rbm = self.rbms[layer]
        if layer >= self.started:
            with where_all_rows_lie(rbm, rows):
                rbm.initialize_from(rows.inputs)
        rng = torch_rng(self.seed, "pretraining", name, "states", device=rows.device)
        return ContrastiveDivergence(rbm, self.settings[layer], rng)

    def callbacks(self, plan: ContrastiveDivergence, rows: TensorData) -> list[Callback]:
        return [TrainingRowsMonitor(plan, rows)]

    def make_encoder(self, layer: int, name: str) -> Callable[[Tensor], Tensor]:
        rbm = self.rbms[layer]
        if self.settings[layer].features == "probabilities":
            return rbm.hidden_mean
        rng = torch_rng(self.seed, "pretraining", name, "activities", device=rbm.weight.device)
        return lambda inputs: torch.bernoulli(rbm.hidden_mean(inputs), generator=rng)
