"""Pretrain a stack of autoencoders layer by layer, or as a whole after it was unrolled from machines."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.data.tensors import Description, Rows
from layerwise.data.transforms.binarization import binarise_freshly
from layerwise.data.transforms.corruption import Corruption
from layerwise.models.autoencoder.feedforward import Autoencoder
from layerwise.models.autoencoder.passes import encoded
from layerwise.models.autoencoder.stacked import StackConfig, StackedAutoencoders, roll_up, unrolled
from layerwise.training.autoencoder.building import chosen_output, layer_config
from layerwise.training.autoencoder.plans import Reconstruction
from layerwise.training.autoencoder.reconstruction_history import Stages, stages_of_autoencoder
from layerwise.training.autoencoder.stack_settings import SAESettings
from layerwise.training.autoencoder.train import reconstruction_trainee
from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.loop import fit
from layerwise.training.rbm.pretraining import Pretrained, PretrainingSettings, of_layer
from layerwise.utils.random_streams import generator_for


def new_stack(settings: SAESettings, columns: Description, generator: torch.Generator) -> StackedAutoencoders:
    """Return the untrained stack: the lowest layer reads the columns, each other one the codes below it.

    Raises:
        TrainingError: the settings do not fit the columns.
    """
    s = settings.of_variant(settings.variant) | {"hidden_sizes": ()}
    loss, output, blocks = chosen_output(settings, columns, settings.variant)
    layers = []
    n = columns.n_inputs
    for size in settings.hidden_sizes:
        layers.append(layer_config(settings, s, n, size, loss, output, blocks))
        n, blocks = size, ()
        # Sigmoid codes are shares of one again; any others are numbers.
        shares = s["code_activation"] == "sigmoid"
        loss, output = ("binary_cross_entropy", "sigmoid") if shares else ("squared", "linear")
    return StackedAutoencoders(StackConfig(layers=tuple(layers)), generator)


def pretrain_layers(
    stack: StackedAutoencoders,
    training: Rows,
    validation: Rows,
    columns: Description,
    settings: SAESettings,
    pretraining: PretrainingSettings,
    seed: int,
) -> Pretrained:
    """Train each autoencoder on the codes of the one below, bottom up; codes are passed on without noise.

    Args:
        stack: learns in place.
        training: inputs (n, n_visible); targets are not read.
        validation: rows that are measured and not learnt from.
        columns: what the inputs are.
        settings: how a layer learns.
        pretraining: its epochs and batches.
        seed: of the run.
    """
    layers = stack.autoencoders()
    epochs = [int(of_layer(pretraining.epochs, k, "epochs")) for k in range(len(layers))]
    n_batches = -(-len(training) // pretraining.batch_size)
    device = training.inputs.device
    inputs, held_out = training.inputs, validation.inputs
    stages = stages_of_autoencoder(layers[0], inputs[0].clone())
    history: dict[str, list[dict[str, float]]] = {}
    seconds = 0.0
    for k, layer in enumerate(layers):
        name = f"layer_{k + 1}"
        label = f"pretraining layer {k + 1} of {len(layers)}"
        s = settings.of_variant(settings.variant)
        if settings.corruption_levels:
            s["corruption_level"] = settings.corruption_levels[k]
        bounded = layer.config.output == "sigmoid"
        trainee = reconstruction_trainee(
            layer,
            settings,
            s,
            columns.blocks if k == 0 else (),
            bounded,
            epochs[k],
            n_batches,
            seed,
            f"pretraining/{name}",
            device,
        )
        fresh = columns.fresh_binarisation and k == 0
        progress = fit(
            trainee,
            Rows(inputs),
            epochs=epochs[k],
            batch_size=pretraining.batch_size,
            generator=generator_for(seed, "pretraining", name, "order"),
            validation=Rows(held_out),
            callbacks=_listeners(f"pretraining/{name}/", label, stages if k == 0 else None),
            transform=binarise_freshly(seed, device, "pretraining") if fresh else None,
            name=label,
        )
        history[name] = progress.history
        seconds += progress.seconds
        if k + 1 < len(layers):
            inputs, held_out = (_passed_on(layer, rows) for rows in (inputs, held_out))
    stack.eval()
    return Pretrained(history, stages.kept, stages.row, seconds)


def train_unrolled(
    stack: StackedAutoencoders,
    training: Rows,
    validation: Rows,
    settings: SAESettings,
    batch_size: int,
    seed: int,
    fresh: bool = False,
) -> Pretrained:
    """Train the deep autoencoder that the stack unrolls to, and put its weights back into the stack.

    Args:
        stack: of free weights; learns in place.
        training: inputs (n, n_visible).
        validation: rows that are measured and not learnt from.
        settings: `unrolled_epochs`, `unrolled_learning_rate`, precision and schedule.
        batch_size: rows a step.
        seed: of the run.
        fresh: read each input as a probability and draw it anew for every batch.
    """
    deep, device = unrolled(stack), training.inputs.device
    stages = stages_of_autoencoder(deep, training.inputs[0].clone())
    learning = settings.gradient_settings(settings.unrolled_epochs or 1)
    none = Corruption("none", 0.0, generator_for(seed, "unrolled", "corruption", device=device))
    progress = fit(
        Reconstruction(
            deep,
            learning.model_copy(update={"learning_rate": settings.unrolled_learning_rate}),
            none,
            n_batches=-(-len(training) // batch_size),
        ),
        training,
        epochs=settings.unrolled_epochs,
        batch_size=batch_size,
        generator=generator_for(seed, "unrolled", "order"),
        validation=validation,
        callbacks=_listeners("pretraining/unrolled/", "training the unrolled autoencoder", stages),
        transform=binarise_freshly(seed, device, "unrolled") if fresh else None,
        name="unrolled autoencoder",
    )
    roll_up(deep, stack)
    stack.eval()
    return Pretrained({"unrolled": progress.history}, stages.kept, stages.row, progress.seconds)


def _listeners(prefix: str, label: str, stages: Stages | None) -> list[Callback]:
    found: list[Callback] = [Reporter(prefix), ProgressBar(label, "train/loss")]
    return found if stages is None else [*found, stages]


def _passed_on(layer: Autoencoder, rows: Tensor) -> Tensor:
    layer.eval()
    return encoded(layer, rows).to(rows.device)
