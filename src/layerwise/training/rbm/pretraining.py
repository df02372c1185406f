"""Greedy layer-wise pretraining of a deep belief network (Hinton, Osindero & Teh 2006; Bengio et al. 2007)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import field_validator
from torch import Tensor

from layerwise.data import TensorData
from layerwise.data.transforms import make_dynamic_binarization
from layerwise.models.rbm import DBN, RBM
from layerwise.training.autoencoder import rbm_reconstruction_history
from layerwise.training.callbacks import Callback, ProgressBar, Reporter
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError
from layerwise.training.rbm.contrastive_divergence import ContrastiveDivergence
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings
from layerwise.utils import setting, torch_rng


class PretrainingSettings(ContrastiveDivergenceSettings):
    """How the hidden layers learn without labels; a list gives each layer its own value.

    A stack of autoencoders takes `method`, `freeze`, `epochs` and `batch_size` from here.
    """

    method: Literal["auto", "rbm", "autoencoder", "none"] = setting(
        "auto",
        "RBMs, autoencoders, or none: the same network from a random start; auto: the pipeline's own (dbn: rbm, "
        "sae: autoencoder)",
        "none to compare",
    )
    freeze: bool = setting(
        False, "train the output layer alone after pretraining", "to evaluate the features"
    )
    epochs: int | tuple[int, ...] = setting(
        20, "passes over the training rows: one for all layers, or a list"
    )
    batch_size: int = setting(100, "rows a step", "10 to 100", ge=1)
    visible: Literal["auto", "bernoulli", "gaussian"] = setting(
        "auto", "units of the first layer's inputs; auto: by the columns' kinds"
    )
    features: Literal["probabilities", "samples"] = setting(
        "probabilities",
        "what a layer passes on to the next one: its units' means, or binary states sampled once",
        "probabilities: less noise",
    )
    learning_rate: float | tuple[float, ...] = setting(  # type: ignore[assignment]  # a list gives each layer its own
        0.1, "r of layers without Gaussian units: one for all, or a list", "0.05 to 0.1"
    )
    final_learning_rate: float | None = setting(
        0.0,
        "r of the last epoch, reached linearly; null: r stays",
        "0: the samples of a stack need it",
        ge=0,
    )
    gaussian_learning_rate: float = setting(
        0.005, "r of a layer with Gaussian units (Hinton 2010, section 13.2)", "0.001 to 0.02", gt=0
    )

    @field_validator("epochs", "learning_rate")
    @classmethod
    def _positive(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        values = value if isinstance(value, tuple) else (value,)
        if not values or any(v <= 0 for v in values):
            raise ValueError("has to be above 0 for every layer")
        return value


def value_for_layer(value: float | tuple[float, ...], layer: int, name: str) -> float:
    """Return the layer's value of a setting that is one number or a list.

    Raises:
        TrainingError: the list is shorter than the stack.
    """
    if not isinstance(value, tuple):
        return value
    if layer >= len(value):
        raise TrainingError(
            f"pretraining.{name} has {len(value)} value(s) but the stack has a layer {layer + 1}; give one number for "
            "all layers, or one for each"
        )
    return value[layer]


def layer_settings(
    settings: PretrainingSettings, layer: int, gaussian: bool
) -> ContrastiveDivergenceSettings:
    """Return the settings of the layer's RBM; Gaussian units need a far smaller rate (Hinton 2010, 13.2)."""
    shared = settings.model_dump(include=set(ContrastiveDivergenceSettings.model_fields))
    rate = value_for_layer(settings.learning_rate, layer, "learning_rate")
    shared["learning_rate"] = settings.gaussian_learning_rate if gaussian else rate
    if gaussian and settings.final_learning_rate is not None:
        # The rate falls by the same factor as in the other layers.
        factor = settings.final_learning_rate / value_for_layer(
            settings.learning_rate, layer, "learning_rate"
        )
        shared["final_learning_rate"] = factor * settings.gaussian_learning_rate
    return ContrastiveDivergenceSettings(**shared)


@dataclass(frozen=True)
class PretrainingResult:
    """What pretraining leaves behind besides the stack.

    Args:
        history: one list of epochs a layer, by name `layer_1`, ...
        reconstruction_history: (epoch, reconstruction, loss) of one training row, by the first RBM.
        row: that row.
        seconds: of training.
    """

    history: dict[str, list[dict[str, float]]]
    reconstruction_history: list[tuple[int, Tensor, float]]
    row: Tensor
    seconds: float


def pretrain_dbn(
    stack: DBN,
    training: TensorData,
    validation: TensorData | None,
    settings: PretrainingSettings,
    seed: int,
    dynamic_binarization: bool = False,
) -> PretrainingResult:
    """Train each RBM on the activations of the one below, bottom up.

    Args:
        stack: the RBMs; they learn in place.
        training: inputs (n, n_visible); targets are not read.
        validation: rows that are evaluated and never learnt from.
        settings: how the layers learn.
        seed: of the run.
        dynamic_binarization: read each input as a probability and sample it anew for every batch of the first RBM.

    Raises:
        TrainingError: a list of the settings is shorter than the stack, or a metric is not finite.
    """
    # A list that is too short for the stack is found before the first layer has taken its time.
    rbms = [rbm for rbm in stack.rbms if isinstance(rbm, RBM)]
    chosen = [layer_settings(settings, k, rbm.config.visible == "gaussian") for k, rbm in enumerate(rbms)]
    epochs = [int(value_for_layer(settings.epochs, k, "epochs")) for k in range(len(rbms))]
    history: dict[str, list[dict[str, float]]] = {}
    seconds = 0.0
    inputs = training.inputs
    held_out = None if validation is None else validation.inputs
    reconstruction_history = rbm_reconstruction_history(rbms[0], inputs[0].clone())
    for layer, rbm in enumerate(rbms):
        name = f"layer_{layer + 1}"
        label = f"pretraining layer {layer + 1} of {len(rbms)}"
        rbm.initialize_from(inputs)
        callbacks: list[Callback] = [
            Reporter(f"pretraining/{name}/"),
            ProgressBar(label, "train/reconstruction"),
        ]
        rng = torch_rng(seed, "pretraining", name, "states", device=inputs.device)
        progress = fit(
            ContrastiveDivergence(rbm, chosen[layer], rng),
            TensorData(inputs),
            epochs=epochs[layer],
            batch_size=settings.batch_size,
            rng=torch_rng(seed, "pretraining", name, "order"),
            validation=None if held_out is None else TensorData(held_out),
            callbacks=[*callbacks, reconstruction_history] if layer == 0 else callbacks,
            transform=make_dynamic_binarization(seed, inputs.device, "pretraining")
            if dynamic_binarization and layer == 0
            else None,
            name=label,
        )
        history[name] = progress.history
        seconds += progress.seconds
        if layer + 1 < len(rbms):
            feature_rng = torch_rng(seed, "pretraining", name, "activities", device=inputs.device)
            inputs = _features_for_next_layer(rbm, inputs, settings, feature_rng)
            held_out = (
                None if held_out is None else _features_for_next_layer(rbm, held_out, settings, feature_rng)
            )
    return PretrainingResult(history, reconstruction_history.entries, reconstruction_history.row, seconds)


def _features_for_next_layer(
    rbm: RBM, inputs: Tensor, settings: PretrainingSettings, rng: torch.Generator
) -> Tensor:
    mean = rbm.hidden_mean(inputs)
    return torch.bernoulli(mean, generator=rng) if settings.features == "samples" else mean
