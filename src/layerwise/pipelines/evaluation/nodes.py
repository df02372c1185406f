"""Evaluate a network on the test rows: metrics, baselines, importances and the model card."""

import logging
from typing import Any

import numpy as np
import pandas as pd
import torch

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import (
    Metric,
    choose_threshold,
    compare_with_baselines,
    compute_metrics,
    fit_baselines,
    permutation_importance,
)
from layerwise.evaluation.reports import make_model_card
from layerwise.evaluation.unsupervised import reconstruction_metrics
from layerwise.models import MLP, Members
from layerwise.models.autoencoder import StackedAutoencoders
from layerwise.models.rbm import DBN
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.scores import BATCH_SIZE, scores_of, targets_of
from layerwise.training import PretrainingHistory
from layerwise.training.supervised import probabilities
from layerwise.utils import report_metrics

log = logging.getLogger(__name__)


def evaluate(
    network: MLP,
    labelled: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    preprocessor: Any,
    settings: EvaluationSettings,
    seed: int,
    members: Members | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the network's metrics on the test rows, beside those of the baselines, and its predictions."""
    threshold = 0.5
    if columns.task == "binary" and settings.threshold != "half":
        threshold = choose_threshold(
            targets_of(validation, columns),
            scores_of(network, validation, columns),
            settings.threshold,
            false_positive_cost=settings.false_positive_cost,
            false_negative_cost=settings.false_negative_cost,
        )
    targets, scores = targets_of(test, columns), scores_of(network, test, columns)
    found = compute_metrics(
        columns.task,
        targets,
        scores,
        columns.class_names,
        threshold=threshold,
        seed=seed,
        n_bootstrap=settings.bootstrap,
    )
    if columns.target_transform != "none":
        found |= _in_raw_units(preprocessor, test, network, seed, settings.bootstrap)
    report_metrics({f"test/{name}": metric.value for name, metric in found.items()})
    others = {}
    with_baselines = columns.image_shape is None if settings.baselines == "auto" else settings.baselines
    if with_baselines:
        others = fit_baselines(
            _with_unscaled_targets(labelled, columns),
            _with_unscaled_targets(test, columns),
            columns.task,
            n_outputs=columns.n_outputs,
            seed=seed,
        )
        for family, model_metrics in others.items():
            report_metrics({f"test/{metric_name(family)}/{n}": m.value for n, m in model_metrics.items()})
    conclusions = compare_with_baselines(found, others)
    notes = []
    member_statistics = {}
    if members is not None and len(members) > 1:
        member_statistics = _member_statistics(members, test, columns, threshold)
        report_metrics(
            {f"test/{name}_{part}": v for name, of in member_statistics.items() for part, v in of.items()}
        )
        shown = ", ".join(
            f"{name} {of['mean']:.4f} +- {of['std']:.4f}" for name, of in member_statistics.items()
        )
        notes.append(f"{len(members)} networks of other seeds, mean and standard deviation: {shown}.")
    report = {
        "threshold": threshold,
        "network": {name: metric.model_dump() for name, metric in found.items()},
        "baselines": {
            family: {name: metric.model_dump() for name, metric in model_metrics.items()}
            for family, model_metrics in others.items()
        },
        "conclusions": conclusions,
        "notes": notes,
        "members": member_statistics,
    }
    for sentence in conclusions:
        log.warning(sentence)
    for sentence in notes:
        log.info(sentence)
    return report, _prediction_table(columns, targets, scores, threshold)


def evaluate_stack(
    stack: DBN | StackedAutoencoders, test: TensorData, history: PretrainingHistory
) -> dict[str, float]:
    """Return the stack's reconstruction errors on the test rows; none when it was not pretrained."""
    if not history.layers:
        return {}
    reconstruction = torch.cat([stack.reconstruct(part) for part in test.inputs.split(BATCH_SIZE)])
    found = reconstruction_metrics(test.inputs, reconstruction, bounded=stack.visible_units.binary)
    report_metrics({f"test/{name}": value for name, value in found.items()})
    return found


def measure_importance(
    network: MLP, validation: TensorData, columns: DataSpec, settings: EvaluationSettings, seed: int
) -> list[dict[str, Any]]:
    """Return each column's permutation importance on the validation rows; none for images."""
    if columns.image_shape is not None:
        return []
    found = permutation_importance(
        lambda inputs: probabilities(columns.task, network(inputs)).detach(),
        validation,
        columns,
        n_repeats=settings.importance_repeats,
        seed=seed,
    )
    return [each.model_dump() for each in found]


def write_model_card(report: dict[str, Any], columns: DataSpec, parameters: dict[str, Any]) -> str:
    """Write the model card: the network's data, metrics, baselines, limitations and parameters."""
    network = {name: Metric(**values) for name, values in report["network"].items()}
    others = {
        family: {name: Metric(**values) for name, values in model_metrics.items()}
        for family, model_metrics in report["baselines"].items()
    }
    plain = {
        name: value.model_dump(mode="json") if hasattr(value, "model_dump") else value
        for name, value in parameters.items()
    }
    notes = [*columns.notes, *report["notes"]]
    if report["threshold"] != 0.5:
        notes.append(
            f"A row is predicted positive from {report['threshold']:.4f} on, chosen on the validation rows."
        )
    return make_model_card(columns, plain, network, others, notes)


def _member_statistics(
    members: Members, test: TensorData, columns: DataSpec, threshold: float
) -> dict[str, dict[str, float]]:
    """Return the mean and standard deviation over the members of every metric of the test rows."""
    targets = targets_of(test, columns)
    found = [
        compute_metrics(
            columns.task,
            targets,
            scores_of(members.member(k), test, columns),
            columns.class_names,
            threshold=threshold,
            n_bootstrap=0,
        )
        for k in range(len(members))
    ]
    values = {
        name: [each[name].value for each in found] for name in found[0] if all(name in e for e in found)
    }
    return {
        name: {"mean": float(np.mean(each)), "std": float(np.std(each, ddof=1))}
        for name, each in values.items()
    }


def metric_name(text: str) -> str:
    """Return a text as a metric name that MLflow accepts."""
    return text.replace(":", "").replace(" ", "_")


def _with_unscaled_targets(rows: TensorData, columns: DataSpec) -> TensorData:
    return TensorData(rows.inputs, targets_of(rows, columns))


def _in_raw_units(preprocessor: Any, test: TensorData, network: MLP, seed: int, n: int) -> dict[str, Metric]:
    with torch.no_grad():
        values = preprocessor.restore_targets(network(test.inputs).numpy())
    assert test.targets is not None
    found = compute_metrics(
        "regression", preprocessor.restore_targets(test.targets.numpy()), values, seed=seed, n_bootstrap=n
    )
    return {f"raw_{name}": m.model_copy(update={"name": f"raw_{name}"}) for name, m in found.items()}


def _prediction_table(
    columns: DataSpec, targets: torch.Tensor, scores: torch.Tensor, threshold: float
) -> pd.DataFrame:
    """Return targets, predictions and probabilities, one row for each test row, in their order."""
    true, given = targets.numpy(), scores.numpy()
    if columns.task in ("regression", "multilabel"):
        names = columns.target_names or tuple(f"output_{k}" for k in range(given.shape[1]))
        parts = {f"true_{name}": true[:, k] for k, name in enumerate(names)}
        return pd.DataFrame(parts | {f"predicted_{name}": given[:, k] for k, name in enumerate(names)})
    classes = np.asarray(columns.class_names, dtype=object)
    if columns.task == "binary":
        class_indices, chosen = true[:, 0].astype(int), (given[:, 0] >= threshold).astype(int)
        given = np.column_stack([1 - given[:, 0], given[:, 0]])
    else:
        class_indices, chosen = true, given.argmax(1)
    table = pd.DataFrame({"true": classes[class_indices], "predicted": classes[chosen]})
    for k, name in enumerate(columns.class_names):
        table[f"probability_{name}"] = given[:, k]
    return table
