"""Pretrain a stack of autoencoders layer by layer, or as a whole after it was unrolled from RBMs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.data.transforms import Corruption, make_dynamic_binarization
from layerwise.models.autoencoder import (
    Autoencoder,
    StackConfig,
    StackedAutoencoders,
    encode_rows,
    roll_up,
    unroll,
)
from layerwise.training.autoencoder.building import layer_config, select_output
from layerwise.training.autoencoder.plans import ReconstructionPlan
from layerwise.training.autoencoder.reconstruction import build_reconstruction_plan
from layerwise.training.autoencoder.settings import SAESettings
from layerwise.training.callbacks import (
    Callback,
    ReconstructionHistory,
    autoencoder_reconstruction_history,
    plateau_callbacks,
)
from layerwise.training.greedy import PretrainingResult, pretrain_greedily
from layerwise.training.loop import fit
from layerwise.training.rbm import PretrainingSettings
from layerwise.utils import torch_rng


def build_stack(settings: SAESettings, columns: DataSpec, rng: torch.Generator) -> StackedAutoencoders:
    """Return the untrained stack: the lowest layer encodes the columns, each other one the latents below it.

    Raises:
        TrainingError: the settings do not fit the columns.
    """
    resolved = settings.resolved(settings.variant) | {"hidden_sizes": ()}
    loss, output, blocks = select_output(settings, columns, settings.variant)
    layers = []
    n = columns.n_inputs
    for size in settings.hidden_sizes:
        layers.append(layer_config(settings, resolved, n, size, loss, output, blocks))
        n, blocks = size, ()
        # Sigmoid activations are probabilities again; any others are real numbers.
        is_probability = resolved["latent_activation"] == "sigmoid"
        loss, output = ("binary_cross_entropy", "sigmoid") if is_probability else ("squared", "linear")
    return StackedAutoencoders(StackConfig(layers=tuple(layers)), rng)


def pretrain_layers(
    stack: StackedAutoencoders,
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: SAESettings,
    pretraining: PretrainingSettings,
    seed: int,
    silent: bool = False,
) -> PretrainingResult:
    """Train each autoencoder on the latents of the one below, bottom up; latents are passed on without noise.

    Args:
        stack: trained in place.
        training: inputs (n, n_visible); targets are not read.
        validation: rows for the validation loss.
        columns: what the inputs are.
        settings: the hyperparameters of a layer.
        pretraining: its epochs and batches.
        seed: of the run.
        silent: report nothing.
    """
    layers = stack.autoencoders()
    result = pretrain_greedily(
        _AutoencoderLayers(layers, columns, settings, seed),
        training,
        validation,
        pretraining.layer_epochs(len(layers)),
        pretraining.batch_size,
        seed,
        columns.dynamic_binarization,
        silent,
    )
    stack.eval()
    return result


@dataclass(frozen=True)
class _AutoencoderLayers:
    """How the autoencoders of a stack learn and pass latents on."""

    layers: list[Autoencoder]
    columns: DataSpec
    settings: SAESettings
    seed: int
    metric: str = "train/loss"

    def reconstruction_history(self, row: Tensor) -> ReconstructionHistory:
        return autoencoder_reconstruction_history(self.layers[0], row)

    def make_plan(self, layer: int, name: str, rows: TensorData) -> ReconstructionPlan:
        s, network = self.settings, self.layers[layer]
        resolved = s.resolved(s.variant)
        if s.corruption_levels:
            resolved["corruption_level"] = s.corruption_levels[layer]
        return build_reconstruction_plan(
            network,
            s,
            resolved,
            self.columns.blocks if layer == 0 else (),
            network.config.output == "sigmoid",
            self.seed,
            f"pretraining/{name}",
            rows.device,
        )

    def callbacks(self, plan: ReconstructionPlan, rows: TensorData) -> list[Callback]:
        return [*plateau_callbacks(plan, self.settings, "validation/loss")]

    def make_encoder(self, layer: int, name: str) -> Callable[[Tensor], Tensor]:
        network = self.layers[layer].eval()
        return lambda rows: encode_rows(network, rows).to(rows.device)


def train_unrolled(
    stack: StackedAutoencoders,
    training: TensorData,
    validation: TensorData,
    settings: SAESettings,
    batch_size: int,
    seed: int,
    dynamic_binarization: bool = False,
) -> PretrainingResult:
    """Train the deep autoencoder that the stack unrolls to, and put its weights back into the stack.

    Args:
        stack: of untied weights; trained in place.
        training: inputs (n, n_visible).
        validation: rows for the validation loss.
        settings: `unrolled_epochs`, `unrolled_learning_rate`, precision and schedule.
        batch_size: rows a step.
        seed: of the run.
        dynamic_binarization: take each input as a probability and sample it anew for every batch.
    """
    deep, device = unroll(stack), training.device
    reconstruction_history = autoencoder_reconstruction_history(deep, training[:1].inputs[0].clone())
    no_corruption = Corruption("none", 0.0, torch_rng(seed, "unrolled", "corruption", device=device))
    own = settings.model_copy(update={"learning_rate": settings.unrolled_learning_rate})
    plan = ReconstructionPlan(deep, own, no_corruption)
    progress = fit(
        plan,
        training,
        epochs=settings.unrolled_epochs,
        batch_size=batch_size,
        rng=torch_rng(seed, "unrolled", "order"),
        validation=validation,
        callbacks=[reconstruction_history, *plateau_callbacks(plan, own, "validation/loss")],
        transform=make_dynamic_binarization(seed, device, "unrolled") if dynamic_binarization else None,
        name="unrolled autoencoder",
        prefix="pretraining/unrolled",
    )
    roll_up(deep, stack)
    stack.eval()
    return PretrainingResult(
        {"unrolled": progress.history},
        reconstruction_history.entries,
        reconstruction_history.row,
        progress.seconds,
    )
