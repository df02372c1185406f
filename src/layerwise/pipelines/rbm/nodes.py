"""Nodes that train a restricted Boltzmann machine and evaluate its likelihood, its features and its label units."""

import logging
from typing import Any

import torch
from torch import Tensor

from layerwise.data import DataSpec, TensorData, rows_for_training, with_unlabelled
from layerwise.evaluation.likelihood import RBMLikelihood, rbm_likelihood, sample_rows
from layerwise.evaluation.metrics import LoggedMetrics, MetricsByModel, NamedMetrics, compute_metrics
from layerwise.models.rbm import RBM, class_log_probabilities, with_labels
from layerwise.parameters import RBMSettings
from layerwise.parameters.sizing import Extent, chain_learning
from layerwise.pipelines.views import describe_probe, probe_views
from layerwise.training import LayerHistory
from layerwise.training.rbm import RatingsMonitor, fit_rbm, rbm_config
from layerwise.utils import choose_device, torch_rng
from layerwise.utils.ranks import in_ranks

log = logging.getLogger(__name__)

AT_A_TIME = 2000


@in_ranks
def train_rbm(
    training: TensorData,
    validation: TensorData,
    columns: DataSpec,
    settings: RBMSettings,
    seed: int,
    unlabelled: TensorData | None = None,
) -> tuple[RBM, LayerHistory]:
    """Train the RBM on the rows without their labels."""
    rbm = RBM(rbm_config(columns, settings), torch_rng(seed, "machine"))
    device = choose_device(rbm, settings.batch_size, "rbm")
    result = fit_rbm(
        rbm.to(device),
        rows_for_training(with_unlabelled(training, unlabelled), device),
        rows_for_training(validation, device),
        settings,
        seed,
        dynamic_binarization=columns.dynamic_binarization,
    )
    return rbm.cpu(), LayerHistory.of(result)


def train_rating_rbm(
    training: TensorData, validation: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> tuple[RBM, LayerHistory]:
    """Train the RBM on ratings; it ends with the epoch of the least error on held-out ones of the same rows."""
    rbm = RBM(rbm_config(columns, settings), torch_rng(seed, "machine"))
    device = choose_device(rbm, settings.batch_size, "rbm")
    given, held_out = training.inputs.to(device), validation.inputs.to(device)
    monitor = RatingsMonitor(rbm.to(device), given, held_out, columns.levels)
    result = fit_rbm(rbm, TensorData(given), None, settings, seed, ratings=monitor)
    return rbm.cpu(), LayerHistory.of(result)


def train_classification_rbm(
    labelled: TensorData, validation: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> tuple[RBM, LayerHistory]:
    """Train an RBM on rows with their labels as further visible units (Larochelle & Bengio 2008)."""
    n_classes = columns.n_classes
    rbm = RBM(rbm_config(columns, settings, n_classes), torch_rng(seed, "classifier"))
    device = choose_device(rbm, settings.batch_size, "classifier")
    rows, held_out = (
        rows_for_training(TensorData(_with_label_units(part, n_classes)), device)
        for part in (labelled, validation)
    )
    result = fit_rbm(
        rbm.to(device), rows, held_out, _of_classifier(settings, columns, len(rows)), seed, name="classifier"
    )
    return rbm.cpu(), LayerHistory.of(result)


def _of_classifier(settings: RBMSettings, columns: DataSpec, n_rows: int) -> RBMSettings:
    """Return how the RBM with label units learns: always from chains that start at the rows.

    It is judged by p(y | x) and draws no samples, which is what chains that last, and their epochs, are for.
    """
    update: dict[str, Any] = {"monitor": None, "averaged_epochs": 0.0}
    if settings.chain != "data":
        extent = Extent.of(columns, n_rows)
        epochs = min(settings.epochs, extent.epochs(extent.pretraining, settings.batch_size))
        update |= {"chain": "data", "epochs": epochs, **chain_learning("data", None)}
    return settings.model_copy(update=update)


def measure_likelihood(
    rbm: RBM, training: TensorData, test: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> tuple[RBMLikelihood, LoggedMetrics]:
    """Return log Z and the rows' mean log-probability in nats; grey pixels are binarized by one draw."""
    device = choose_device(rbm, settings.likelihood.chains, "likelihood", training.n_bytes + test.n_bytes)
    found = rbm_likelihood(
        rbm.to(device),
        training.inputs,
        test.inputs,
        settings.likelihood,
        seed,
        images=columns.image_shape is not None,
    )
    log.info(found)
    return found, LoggedMetrics.of(found.metrics())


def probe_features(
    rbm: RBM,
    labelled: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: RBMSettings,
    seed: int,
) -> tuple[MetricsByModel, LoggedMetrics]:
    """Fit linear models on the RBM's features, on the raw rows and on their principal components."""
    parts = {"labelled": labelled, "validation": validation, "test": test}
    found = probe_views(
        "features", lambda x: hidden_features(rbm, x), parts, columns, seed, settings.bootstrap
    )
    log.info("A linear model's %s", describe_probe(found, columns))
    return found, found.logged("test/probe/")


def evaluate_classification_rbm(
    rbm: RBM, test: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> tuple[NamedMetrics, LoggedMetrics]:
    """Evaluate the exact p(y | x) of the RBM with label units on the test rows."""
    scores = _class_scores(rbm.cpu(), test.inputs, columns)
    found = NamedMetrics(
        compute_metrics(
            columns.task, test.targets, scores, columns.class_names, seed=seed, n_bootstrap=settings.bootstrap
        )
    )
    log.info("The RBM with label units on the test rows: error %s", found["error"])
    return found, found.logged("test/")


def sample_images(
    rbm: RBM, training: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> TensorData:
    """Return the mean images at the end of long Gibbs chains that started at training rows, (samples, pixels)."""
    assert columns.image_shape is not None
    rng, rbm = torch_rng(seed, "samples"), rbm.cpu()
    v = rows_of_chains(rbm, training, settings.samples, settings.sampling_steps, rng)
    return TensorData(rbm.visible_mean(rbm.sample_hidden(v, rng)).clamp(0, 1))


def rows_of_chains(
    rbm: RBM, training: TensorData, n: int, sampling_steps: int, rng: torch.Generator
) -> Tensor:
    """Return the rows at the end of n Gibbs chains that started at training rows, (n, visible units)."""
    start_rows = torch.randint(len(training), (n,), generator=rng)
    return sample_rows(rbm, training.inputs[start_rows], sampling_steps, rng)


def measure_image_samples(
    classification_rbm: RBM, image_samples: TensorData, columns: DataSpec
) -> LoggedMetrics:
    """Return how many classes the RBM with label units finds in the samples, and the fractions of the two ends.

    Chains that mix badly, or a distribution that has put its mass on a few modes, show in a class that is missing or in
    one that has a third of the samples.
    """
    scores = _class_scores(classification_rbm.cpu(), image_samples.inputs, columns)
    found = predicted_classes(scores)
    fractions = torch.bincount(found, minlength=columns.n_classes) / len(found)
    named = zip(columns.class_names, fractions.tolist(), strict=True)
    log.info("Classes of the samples: %s", ", ".join(f"{name} {value:.0%}" for name, value in named))
    return LoggedMetrics.of(
        {
            "samples/classes": int((fractions > 0).sum()),
            "samples/smallest_class": float(fractions.min()),
            "samples/largest_class": float(fractions.max()),
        }
    )


def predicted_classes(scores: Tensor) -> Tensor:
    """Return the most probable class of each row, (rows,); one column is the probability of the second of two."""
    return (scores[:, 0] > 0.5).long() if scores.shape[1] == 1 else scores.argmax(1)


def hidden_features(rbm: RBM, inputs: Tensor) -> Tensor:
    """Return the mean hidden activations, on the CPU, shape (rows, n_hidden)."""
    device = rbm.weight.device
    return torch.cat([rbm.hidden_mean(part.to(device)).cpu() for part in inputs.split(AT_A_TIME)])


def _with_label_units(rows: TensorData, n_classes: int) -> Tensor:
    assert rows.targets is not None
    return with_labels(rows.inputs, rows.targets.reshape(-1).long(), n_classes)


def _class_scores(rbm: RBM, inputs: Tensor, columns: DataSpec) -> Tensor:
    """Return p(y | x) of each class, of a binary task that of class 1 alone."""
    n_classes = columns.n_classes
    parts = [class_log_probabilities(rbm, x, n_classes) for x in inputs.split(AT_A_TIME)]
    scores = torch.cat(parts).exp()
    return scores[:, 1:] if columns.task == "binary" else scores
