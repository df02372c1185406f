"""Train a restricted Boltzmann machine, and say what it knows of the rows."""

import logging
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from layerwise.data.tensors import Description, Rows
from layerwise.evaluation.likelihood.log_probability import log_partition, log_probability
from layerwise.evaluation.metrics.supervised import measures
from layerwise.models.rbm.label_units import class_log_probabilities, with_labels
from layerwise.models.rbm.pseudo_likelihood import log_pseudo_likelihood
from layerwise.models.rbm.rbm import RBM, RBMConfig
from layerwise.parameters.rbm import RBMSettings
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.pipelines.views import probe_views
from layerwise.training.rbm.pretraining import Pretrained
from layerwise.training.rbm.ratings import RatingsMonitor
from layerwise.training.rbm.train import machine_config
from layerwise.training.rbm.train import train_machine as train
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import generator_for
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)

AT_A_TIME = 2000


def train_machine(
    training: Rows, validation: Rows, description: dict[str, Any], settings: RBMSettings, seed: int
) -> tuple[RBM, dict[str, Any]]:
    """Train the machine on the rows without their labels."""
    columns, device = Description(**description), best_device()
    rbm = RBM(machine_config(columns, settings), generator_for(seed, "machine")).to(device)
    fresh = columns.fresh_binarisation
    if columns.task == "ratings":
        given, held_out = training.inputs.to(device), validation.inputs.to(device)
        watch = RatingsMonitor(rbm, given, held_out, [float(level) for level in columns.class_names])
        return rbm, _history(train(rbm, Rows(given), None, settings, seed, ratings=watch))
    result = train(rbm, training.to(device), validation.to(device), settings, seed, fresh=fresh)
    return rbm, _history(result)


def measure_likelihood(
    machine: RBM, training: Rows, test: Rows, description: dict[str, Any], settings: RBMSettings, seed: int
) -> dict[str, Any]:
    """Measure log Z and the rows' log-probability in nats; grey rows are drawn as ink once."""
    columns = Description(**description)
    if settings.likelihood.method == "none" or not _has_likelihood(machine, columns):
        return {}
    device = best_device()
    rbm, ink = machine.to(device), generator_for(seed, "likelihood", "ink")
    known, new = (_drawn(rows.inputs, rbm, ink).to(device) for rows in (training, test))
    states = generator_for(seed, "likelihood", "states", device=device)
    partition = log_partition(rbm, known, settings.likelihood, states)
    found = {
        "test": log_probability(rbm, new, partition),
        "training": log_probability(rbm, known[: len(new)], partition),
    }
    pseudo = float(log_pseudo_likelihood(rbm, new[:200]).mean())
    report_metrics(
        {
            "test/log_prob": found["test"].middle,
            "test/log_prob_low": found["test"].low,
            "test/log_prob_high": found["test"].high,
            "test/pseudo_likelihood": pseudo,
            "log_partition": partition.middle,
        }
    )
    log.info(
        "Log-probability of a test row (%s): %.2f nats, between %.2f and %.2f; of a training row %.2f",
        partition.method,
        found["test"].middle,
        found["test"].low,
        found["test"].high,
        found["training"].middle,
    )
    rows = {name: {**asdict(value), "middle": value.middle} for name, value in found.items()}
    drawn = bool(columns.image_shape)
    return {
        "log_partition": asdict(partition),
        "log_probability": rows,
        "pseudo_likelihood": pseudo,
        "drawn": drawn,
    }


def probe_features(
    machine: RBM,
    labelled: Rows,
    validation: Rows,
    test: Rows,
    description: dict[str, Any],
    settings: RBMSettings,
    seed: int,
) -> dict[str, Any]:
    """Fit linear models on the machine's features, on the raw rows and on their principal components."""
    columns = Description(**description)
    if not settings.probe or columns.task in UNLABELLED:
        return {}
    parts = {"labelled": labelled, "validation": validation, "test": test}
    found, measure, shown = probe_views(
        "features", lambda x: features_of(machine, x), parts, columns, seed, settings.bootstrap
    )
    log.info("A linear model's %s on the test rows: %s", measure, shown)
    return found


def train_classifier(
    labelled: Rows, validation: Rows, description: dict[str, Any], settings: RBMSettings, seed: int
) -> tuple[RBM, dict[str, Any]]:
    """Train a machine on rows with their labels as further visible units (Larochelle & Bengio 2008)."""
    columns, device = Description(**description), best_device()
    n_classes = classes_of(columns)
    if not settings.classifier or n_classes is None:
        nothing = RBM(RBMConfig(n_visible=1, n_hidden=1))
        return nothing, {"epochs": [], "stages": [], "row": [], "seconds": 0.0}
    config = machine_config(columns, settings, n_classes)
    rbm = RBM(config, generator_for(seed, "classifier")).to(device)
    rows, held_out = (Rows(_joined(part, n_classes)).to(device) for part in (labelled, validation))
    chosen = settings.model_copy(update={"monitor": None})
    result = train(rbm, rows, held_out, chosen, seed, name="classifier")
    return rbm, _history(result)


def evaluate_classifier(
    classifier: RBM,
    history: dict[str, Any],
    test: Rows,
    description: dict[str, Any],
    settings: RBMSettings,
    seed: int,
) -> dict[str, Any]:
    """Measure the exact p(y | x) of the machine with label units on the test rows."""
    columns = Description(**description)
    n_classes = classes_of(columns)
    if not history["epochs"] or n_classes is None:
        return {}
    assert test.targets is not None
    parts = [class_log_probabilities(classifier.cpu(), x, n_classes) for x in test.inputs.split(AT_A_TIME)]
    scores = torch.cat(parts).exp()
    if columns.task == "binary":
        scores = scores[:, 1:]
    found = measures(
        columns.task, test.targets, scores, columns.class_names, seed=seed, n_bootstrap=settings.bootstrap
    )
    report_metrics({f"test/{name}": measure.value for name, measure in found.items()})
    log.info("The machine with label units on the test rows: error %s", found["error"])
    return {name: measure.model_dump() for name, measure in found.items()}


def features_of(machine: RBM, inputs: Tensor) -> Tensor:
    """Return the mean hidden activities, on the CPU, shape (rows, n_hidden)."""
    device = machine.weight.device
    return torch.cat([machine.hidden_mean(part.to(device)).cpu() for part in inputs.split(AT_A_TIME)])


def classes_of(columns: Description) -> int | None:
    """Return the number of classes, None where rows have no single class."""
    return {"multiclass": columns.n_outputs, "binary": 2}.get(columns.task)


def _joined(rows: Rows, n_classes: int) -> Tensor:
    assert rows.targets is not None
    return with_labels(rows.inputs, rows.targets.reshape(-1).long(), n_classes)


def _drawn(inputs: Tensor, rbm: RBM, generator: torch.Generator) -> Tensor:
    """Draw grey values as ink: the probability of a row is that of a binary one."""
    if rbm.config.visible != "bernoulli" or bool(((inputs == 0) | (inputs == 1)).all()):
        return inputs
    return torch.bernoulli(inputs, generator=generator)


def _has_likelihood(machine: RBM, columns: Description) -> bool:
    return machine.config.hidden != "nrelu" and columns.task not in UNLABELLED


def _history(result: Pretrained) -> dict[str, Any]:
    (epochs,) = result.history.values()
    stages = [
        {"epoch": epoch, "reconstruction": row.tolist(), "loss": loss} for epoch, row, loss in result.stages
    ]
    return {"epochs": epochs, "stages": stages, "row": result.row.tolist(), "seconds": result.seconds}
