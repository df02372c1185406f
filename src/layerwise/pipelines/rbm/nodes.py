"""Nodes that train a restricted Boltzmann machine and evaluate its likelihood, its features and its label units."""

import copy
import logging
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.likelihood import log_partition, log_probability
from layerwise.evaluation.metrics import compute_metrics
from layerwise.models.rbm import RBM, RBMConfig, class_log_probabilities, log_pseudo_likelihood, with_labels
from layerwise.parameters import RBMSettings
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.pipelines.views import describe_probe, probe_views
from layerwise.training import PretrainingResult
from layerwise.training.rbm import RatingsMonitor, fit_rbm, rbm_config
from layerwise.utils import choose_device, report_metrics, torch_rng

log = logging.getLogger(__name__)

AT_A_TIME = 2000


def train_rbm(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> tuple[RBM, dict[str, Any]]:
    """Train the RBM on the rows without their labels."""
    rbm = RBM(rbm_config(columns, settings), torch_rng(seed, "machine"))
    device = choose_device(rbm, settings.batch_size, "rbm")
    rbm.to(device)
    if columns.task == "ratings":
        given, held_out = training.inputs.to(device), validation.inputs.to(device)
        monitor = RatingsMonitor(rbm, given, held_out, [float(level) for level in columns.class_names])
        result = fit_rbm(rbm, TensorData(given), None, settings, seed, ratings=monitor)
        return rbm.cpu(), _history(result)
    result = fit_rbm(
        rbm,
        training.to(device),
        validation.to(device),
        settings,
        seed,
        dynamic_binarization=columns.dynamic_binarization,
    )
    return rbm.cpu(), _history(result)


def measure_likelihood(
    rbm: RBM,
    training: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: RBMSettings,
    seed: int,
) -> dict[str, Any]:
    """Return log Z and the rows' mean log-probability in nats; grey pixels are binarised by one draw."""
    if settings.likelihood.method == "none" or not _has_likelihood(rbm, columns):
        return {}
    device = choose_device(rbm, settings.likelihood.chains, "likelihood")
    rbm, pixel_rng = copy.deepcopy(rbm).to(device), torch_rng(seed, "likelihood", "ink")
    known, new = (_binarize(rows.inputs, rbm, pixel_rng).to(device) for rows in (training, test))
    sampling_rng = torch_rng(seed, "likelihood", "states", device=device)
    partition = log_partition(rbm, known, settings.likelihood, sampling_rng)
    found = {
        "test": log_probability(rbm, new, partition),
        "training": log_probability(rbm, known[: len(new)], partition),
    }
    pseudo = float(log_pseudo_likelihood(rbm, new[:200]).mean())
    report_metrics(
        {
            "test/log_prob": found["test"].midpoint,
            "test/log_prob_low": found["test"].low,
            "test/log_prob_high": found["test"].high,
            "test/pseudo_likelihood": pseudo,
            "log_partition": partition.midpoint,
        }
    )
    log.info(
        "Log-probability of a test row (%s): %.2f nats, between %.2f and %.2f; of a training row %.2f",
        partition.method,
        found["test"].midpoint,
        found["test"].low,
        found["test"].high,
        found["training"].midpoint,
    )
    rows = {name: {**asdict(value), "midpoint": value.midpoint} for name, value in found.items()}
    is_sampled = bool(columns.image_shape)
    return {
        "log_partition": asdict(partition),
        "log_probability": rows,
        "pseudo_likelihood": pseudo,
        "is_sampled": is_sampled,
    }


def probe_features(
    rbm: RBM,
    labelled: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: RBMSettings,
    seed: int,
) -> dict[str, Any]:
    """Fit linear models on the RBM's features, on the raw rows and on their principal components."""
    if not settings.probe or columns.task in UNLABELLED:
        return {}
    parts = {"labelled": labelled, "validation": validation, "test": test}
    found = probe_views(
        "features", lambda x: hidden_features(rbm, x), parts, columns, seed, settings.bootstrap
    )
    log.info("A linear model's %s", describe_probe(found, columns))
    report_metrics({row.name: row.value for row in found.logged("test/probe/")})
    return found.model_dump(mode="json")


def train_classification_rbm(
    labelled: TensorData, validation: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> tuple[RBM, dict[str, Any]]:
    """Train an RBM on rows with their labels as further visible units (Larochelle & Bengio 2008)."""
    n_classes = number_of_classes(columns)
    if not settings.classification_rbm or n_classes is None:
        empty = RBM(RBMConfig(n_visible=1, n_hidden=1))
        return empty, {"epochs": [], "reconstruction_history": [], "row": [], "seconds": 0.0}
    config = rbm_config(columns, settings, n_classes)
    rbm = RBM(config, torch_rng(seed, "classifier"))
    device = choose_device(rbm, settings.batch_size, "classifier")
    rbm.to(device)
    rows, held_out = (
        TensorData(_with_label_units(part, n_classes)).to(device) for part in (labelled, validation)
    )
    without_monitor = settings.model_copy(update={"monitor": None})
    result = fit_rbm(rbm, rows, held_out, without_monitor, seed, name="classifier")
    return rbm.cpu(), _history(result)


def evaluate_classification_rbm(
    classification_rbm: RBM,
    history: dict[str, Any],
    test: TensorData,
    columns: DataSpec,
    settings: RBMSettings,
    seed: int,
) -> dict[str, Any]:
    """Evaluate the exact p(y | x) of the RBM with label units on the test rows."""
    n_classes = number_of_classes(columns)
    if not history["epochs"] or n_classes is None:
        return {}
    assert test.targets is not None
    parts = [
        class_log_probabilities(classification_rbm.cpu(), x, n_classes) for x in test.inputs.split(AT_A_TIME)
    ]
    scores = torch.cat(parts).exp()
    if columns.task == "binary":
        scores = scores[:, 1:]
    found = compute_metrics(
        columns.task, test.targets, scores, columns.class_names, seed=seed, n_bootstrap=settings.bootstrap
    )
    report_metrics({f"test/{name}": metric.value for name, metric in found.items()})
    log.info("The RBM with label units on the test rows: error %s", found["error"])
    return {name: metric.model_dump() for name, metric in found.items()}


def hidden_features(rbm: RBM, inputs: Tensor) -> Tensor:
    """Return the mean hidden activations, on the CPU, shape (rows, n_hidden)."""
    device = rbm.weight.device
    return torch.cat([rbm.hidden_mean(part.to(device)).cpu() for part in inputs.split(AT_A_TIME)])


def number_of_classes(columns: DataSpec) -> int | None:
    """Return the number of classes, None where rows have no single class."""
    return {"multiclass": columns.n_outputs, "binary": 2}.get(columns.task)


def _with_label_units(rows: TensorData, n_classes: int) -> Tensor:
    assert rows.targets is not None
    return with_labels(rows.inputs, rows.targets.reshape(-1).long(), n_classes)


def _binarize(inputs: Tensor, rbm: RBM, rng: torch.Generator) -> Tensor:
    """Binarise grey values by one draw: Bernoulli units give a probability to binary rows alone."""
    if not rbm.visible_units.binary or bool(((inputs == 0) | (inputs == 1)).all()):
        return inputs
    return torch.bernoulli(inputs, generator=rng)


def _has_likelihood(rbm: RBM, columns: DataSpec) -> bool:
    return rbm.hidden_units.samples_exactly and columns.task not in UNLABELLED


def _history(result: PretrainingResult) -> dict[str, Any]:
    (epochs,) = result.history.values()
    reconstruction_history = [
        {"epoch": epoch, "reconstruction": row.tolist(), "loss": loss}
        for epoch, row, loss in result.reconstruction_history
    ]
    return {
        "epochs": epochs,
        "reconstruction_history": reconstruction_history,
        "row": result.row.tolist(),
        "seconds": result.seconds,
    }
