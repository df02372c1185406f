"""A study of gradients: with which initialisers they reach the first layer, and which remedies work.

Glorot & Bengio (2010).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pydantic import ConfigDict, PositiveInt, RootModel

from layerwise.data import DataSpec, TensorData
from layerwise.models import MLP, Activation, Cell, Initializer, MLPConfig
from layerwise.training.diagnostics.diagnosis import gradient_ratio
from layerwise.training.diagnostics.layer_statistics import LayerStatistics
from layerwise.training.plan import TrainingError
from layerwise.training.supervised import FinetuningSettings, finetune
from layerwise.utils import Config, setting, torch_rng


class GradientStudySettings(Config):
    """What is tried: every depth with every activation and initialiser, then remedies, then recurrent nets."""

    depths: tuple[PositiveInt, ...] = setting((2, 5, 10), "hidden layers of the networks that are tried")
    activations: tuple[Activation, ...] = setting(("sigmoid", "tanh", "relu"), "each is tried at every depth")
    initializers: tuple[Initializer, ...] = setting(
        ("normal", "glorot_uniform", "he_uniform"), "each is tried with every activation"
    )
    width: int = setting(50, "units of each hidden layer", "", ge=1)
    failing_depth: int = setting(10, "hidden layers of the network that the remedies are tried on", "", ge=3)
    failing_gain: float = setting(
        3.0, "exploding: the first weights of its relu layers are so many times too large", "", gt=1
    )
    epochs: int = setting(3, "passes over the rows for each network", "", ge=1)
    batch_size: int = setting(50, "rows a step", "", ge=2)
    learning_rate: float = setting(1e-3, "r, the size of the steps", "", gt=0)
    rows: int = setting(2000, "training rows at most", "", ge=10)
    cells: tuple[Cell, ...] = setting(("rnn", "lstm", "gru"), "recurrent networks that are compared")
    sequence_length: int = setting(60, "steps over which the first symbol has to be kept", "", ge=3)
    updates: int = setting(200, "steps of learning of each recurrent network", "", ge=10)
    recurrent_units: int = setting(32, "units of each recurrent network", "", ge=1)


@dataclass(frozen=True)
class Trial:
    """A network to try: what is changed of its shape and of how it learns."""

    name: str
    shape: dict[str, Any]
    learning: dict[str, Any] = field(default_factory=dict)


class TrialResult(Config):
    """How a network learnt; what is not finite is None.

    Args:
        name: of the trial.
        gradients: root mean square gradient of each layer's weights in the first epoch.
        ratio: of the first to the last hidden layer's.
        last_gradient: of the last epoch's largest layer.
        loss: on the validation rows at the end; None when it diverged.
        error: the same.
        diagnoses: what is wrong, a sentence each.
    """

    name: str
    gradients: tuple[float | None, ...]
    ratio: float | None
    last_gradient: float | None
    loss: float | None
    error: float | None
    diagnoses: tuple[str, ...]

    @property
    def diagnosis(self) -> str:
        """The kinds of what is wrong."""
        return ", ".join(each.split(":")[0] for each in self.diagnoses) or "healthy"

    def has_improved(self, failing: TrialResult) -> bool:
        """True when it ends with a lower validation loss than a failing network, which may have diverged."""
        if self.loss is None:
            return False
        return failing.loss is None or self.loss < failing.loss


class RemedyResult(TrialResult):
    """How a network learnt with a remedy, and whether the remedy works; a failing network's own never does."""

    works: bool


class Survey(RootModel[tuple[TrialResult, ...]]):
    """Every depth with every activation and initializer."""

    model_config = ConfigDict(frozen=True)


class Remedies(RootModel[dict[str, tuple[RemedyResult, ...]]]):
    """By what fails: the failing network first, then the same with one remedy at a time."""

    model_config = ConfigDict(frozen=True)

    def metrics(self) -> dict[str, float]:
        """Return how many remedies were tried, and how many work."""
        working = sum(each.works for found in self.root.values() for each in found)
        tried = sum(len(found) - 1 for found in self.root.values())
        return {"working": float(working), "tried": float(tried)}


def run_trial(
    trial: Trial,
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GradientStudySettings,
    seed: int,
    epochs: int | None = None,
) -> TrialResult:
    """Train a network and return the statistics of its layers.

    Args:
        trial: the network and how it learns.
        training: the rows that it learns from.
        validation: the rows that it is evaluated on.
        columns: of the rows.
        settings: of the study.
        seed: of the run.
        epochs: in place of the settings' own.
    """
    shape = MLPConfig(n_inputs=columns.n_inputs, n_outputs=columns.n_outputs, **trial.shape)
    network = MLP(shape, torch_rng(seed, "laboratory", "network"))
    statistics = LayerStatistics(network, validation, report=False)
    learning: dict[str, Any] = {
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "schedule": "constant",
        "keep_best_weights": False,
    }
    chosen = FinetuningSettings(epochs=epochs or settings.epochs, **learning | trial.learning)
    loss = error = math.nan
    try:
        progress = finetune(
            network, columns.task, training, validation, chosen, seed, callbacks=[statistics], silent=True
        )
        loss, error = (progress.history[-1][f"validation/{name}"] for name in ("loss", "error"))
    except TrainingError:
        pass  # a trial that diverges is a result
    return TrialResult(
        name=trial.name,
        gradients=tuple(_finite_or_none(layer.gradient) for layer in statistics.epochs[0].layers),
        ratio=_finite_or_none(gradient_ratio(statistics.epochs[0])),
        last_gradient=_finite_or_none(max(layer.gradient for layer in statistics.epochs[-1].layers)),
        loss=_finite_or_none(loss),
        error=_finite_or_none(error),
        diagnoses=tuple(statistics.diagnoses()),
    )


def _finite_or_none(value: float) -> float | None:
    # JSON has neither NaN nor infinity.
    return value if math.isfinite(value) else None


def _rows(training: TensorData, settings: GradientStudySettings) -> TensorData:
    """Return the rows that are learnt from; one fewer where it would be the last batch, of which no norm is known."""
    n = min(len(training), settings.rows)
    return training[slice(0, n - (n % settings.batch_size == 1))]


def run_survey(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GradientStudySettings,
    seed: int,
) -> Survey:
    """Train every depth with every activation and initializer for an epoch, on at most `settings.rows` rows."""
    rows = _rows(training, settings)
    return Survey(
        tuple(
            run_trial(trial, rows, validation, columns, settings, seed, epochs=1)
            for trial in survey_trials(settings)
        )
    )


def run_remedies(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: GradientStudySettings,
    seed: int,
) -> Remedies:
    """Train failing networks as they are, and with one remedy at a time, on at most `settings.rows` rows."""
    rows = _rows(training, settings)
    found = {}
    for failing, trials in remedy_trials(settings, len(rows)).items():
        results = [run_trial(trial, rows, validation, columns, settings, seed) for trial in trials]
        found[failing] = tuple(
            RemedyResult(**each.model_dump(), works=each.has_improved(results[0])) for each in results
        )
    return Remedies(found)


def survey_trials(settings: GradientStudySettings) -> list[Trial]:
    """Return every depth with every activation and initialiser."""
    return [
        Trial(
            f"{depth} x {activation}, {initializer}",
            {"hidden_sizes": (settings.width,) * depth, "activation": activation, "initializer": initializer},
        )
        for depth in settings.depths
        for activation in settings.activations
        for initializer in settings.initializers
    ]


def remedy_trials(settings: GradientStudySettings, n_rows: int) -> dict[str, list[Trial]]:
    """Return failing networks, each first as it is and then with one remedy at a time.

    Args:
        settings: of the study.
        n_rows: of the training; the penalties' lambda is a multiple of it, since it is divided by it.
    """
    deep, shallow = (settings.width,) * settings.failing_depth, (settings.width,) * 2
    vanishing = {"hidden_sizes": deep, "activation": "sigmoid", "initializer": "glorot_uniform"}
    small = {"hidden_sizes": deep, "activation": "tanh", "initializer": "normal"}
    exploding = {
        "hidden_sizes": deep,
        "activation": "relu",
        "initializer": "he_uniform",
        "initializer_gain": settings.failing_gain,
    }
    twice, large = exploding | {"initializer_gain": 2.0}, exploding | {"initializer_gain": 1.5}
    fast_adam, fast_sgd = {"learning_rate": 0.003}, {"optimizer": "sgd", "learning_rate": 0.05}
    sgd = {"optimizer": "sgd", "learning_rate": 0.01}
    return {
        f"vanishing: {settings.failing_depth} sigmoid layers": [
            Trial("failing: sigmoid", vanishing),
            Trial("relu units, He start", vanishing | {"activation": "relu", "initializer": "he_uniform"}),
            Trial("elu units, He start", vanishing | {"activation": "elu", "initializer": "he_uniform"}),
            Trial("2 layers", vanishing | {"hidden_sizes": shallow}),
            Trial("batch normalisation", vanishing | {"normalization": "batch"}),
            Trial("layer normalisation", vanishing | {"normalization": "layer"}),
        ],
        f"a start that is too small: {settings.failing_depth} tanh layers from N(0, 0.05²)": [
            Trial("failing: small start", small),
            Trial("Glorot start", small | {"initializer": "glorot_uniform"}),
            Trial("orthogonal start", small | {"initializer": "orthogonal"}),
        ],
        f"exploding: {settings.failing_depth} relu layers that start {settings.failing_gain:g} times too large": [
            Trial("failing: large start", exploding, sgd),
            Trial("He start as it should be", exploding | {"initializer_gain": 1.0}, sgd),
            Trial("2 layers", exploding | {"hidden_sizes": shallow}, sgd),
            Trial("layer normalisation", exploding | {"normalization": "layer"}, sgd),
        ],
        f"exploding steps: {settings.failing_depth} relu layers that start 1.5 times too large, at a high rate": [
            Trial("failing: long steps", large, fast_sgd),
            Trial("clipping by norm 5", large, fast_sgd | {"clip_norm": 5.0}),
            Trial("a fifth of the rate", large, fast_sgd | {"learning_rate": 0.01}),
        ],
        f"exploding: {settings.failing_depth} relu layers that start twice too large, by adam": [
            Trial("failing: start twice", twice, fast_adam),
            Trial("L2 penalty", twice, fast_adam | {"l2": 1.0 * n_rows}),
            Trial("L1 penalty", twice, fast_adam | {"l1": 0.3 * n_rows}),
        ],
    }
