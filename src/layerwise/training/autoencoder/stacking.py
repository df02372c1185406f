"""Pretrain a stack of autoencoders layer by layer, or as a whole after it was unrolled from RBMs."""

from __future__ import annotations

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
from layerwise.training.autoencoder.reconstruction_history import (
    ReconstructionHistory,
    autoencoder_reconstruction_history,
)
from layerwise.training.autoencoder.stack_settings import SAESettings
from layerwise.training.autoencoder.train import build_reconstruction_plan
from layerwise.training.callbacks import Callback, ProgressBar, Reporter
from layerwise.training.loop import fit
from layerwise.training.rbm import PretrainingResult, PretrainingSettings, value_for_layer
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
    """
    layers = stack.autoencoders()
    epochs = [int(value_for_layer(pretraining.epochs, k, "epochs")) for k in range(len(layers))]
    n_batches = -(-len(training) // pretraining.batch_size)
    device = training.inputs.device
    inputs, held_out = training.inputs, validation.inputs
    reconstruction_history = autoencoder_reconstruction_history(layers[0], inputs[0].clone())
    history: dict[str, list[dict[str, float]]] = {}
    seconds = 0.0
    for k, layer in enumerate(layers):
        name = f"layer_{k + 1}"
        label = f"pretraining layer {k + 1} of {len(layers)}"
        resolved = settings.resolved(settings.variant)
        if settings.corruption_levels:
            resolved["corruption_level"] = settings.corruption_levels[k]
        bounded = layer.config.output == "sigmoid"
        plan = build_reconstruction_plan(
            layer,
            settings,
            resolved,
            columns.blocks if k == 0 else (),
            bounded,
            n_batches,
            seed,
            f"pretraining/{name}",
            device,
        )
        dynamic_binarization = columns.dynamic_binarization and k == 0
        progress = fit(
            plan,
            TensorData(inputs),
            epochs=epochs[k],
            batch_size=pretraining.batch_size,
            rng=torch_rng(seed, "pretraining", name, "order"),
            validation=TensorData(held_out),
            callbacks=_callbacks(f"pretraining/{name}/", label, reconstruction_history if k == 0 else None),
            transform=make_dynamic_binarization(seed, device, "pretraining")
            if dynamic_binarization
            else None,
            name=label,
        )
        history[name] = progress.history
        seconds += progress.seconds
        if k + 1 < len(layers):
            inputs, held_out = (_encode_for_next_layer(layer, rows) for rows in (inputs, held_out))
    stack.eval()
    return PretrainingResult(history, reconstruction_history.entries, reconstruction_history.row, seconds)


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
    deep, device = unroll(stack), training.inputs.device
    reconstruction_history = autoencoder_reconstruction_history(deep, training.inputs[0].clone())
    no_corruption = Corruption("none", 0.0, torch_rng(seed, "unrolled", "corruption", device=device))
    progress = fit(
        ReconstructionPlan(
            deep,
            settings.model_copy(update={"learning_rate": settings.unrolled_learning_rate}),
            no_corruption,
            n_batches=-(-len(training) // batch_size),
        ),
        training,
        epochs=settings.unrolled_epochs,
        batch_size=batch_size,
        rng=torch_rng(seed, "unrolled", "order"),
        validation=validation,
        callbacks=_callbacks(
            "pretraining/unrolled/", "training the unrolled autoencoder", reconstruction_history
        ),
        transform=make_dynamic_binarization(seed, device, "unrolled") if dynamic_binarization else None,
        name="unrolled autoencoder",
    )
    roll_up(deep, stack)
    stack.eval()
    return PretrainingResult(
        {"unrolled": progress.history},
        reconstruction_history.entries,
        reconstruction_history.row,
        progress.seconds,
    )


def _callbacks(
    prefix: str, label: str, reconstruction_history: ReconstructionHistory | None
) -> list[Callback]:
    callbacks: list[Callback] = [Reporter(prefix), ProgressBar(label, "train/loss")]
    return callbacks if reconstruction_history is None else [*callbacks, reconstruction_history]


def _encode_for_next_layer(layer: Autoencoder, rows: Tensor) -> Tensor:
    layer.eval()
    return encode_rows(layer, rows).to(rows.device)
