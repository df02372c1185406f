"""Baselines on the rows that a network was trained on, and how it compares with them."""

import logging
from dataclasses import replace
from typing import Any

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import (
    DecisionThreshold,
    Family,
    MetricsByModel,
    baseline_scores,
    compare_with_baselines,
    compute_metrics,
    usual_families,
)
from layerwise.evaluation.reports import BaselineComparison
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.scores import HALF, targets_of

log = logging.getLogger(__name__)


def train_baselines(
    scored: TensorData,
    labelled: TensorData,
    test: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
    threshold: DecisionThreshold = HALF,
) -> BaselineComparison:
    """Train the baselines on the labelled rows, measure them on the test rows, and compare the network with them.

    Args:
        scored: the network's scores of the test rows.
        labelled, test: the rows.
        columns: what is predicted.
        settings: of the evaluation.
        seed: of the baselines and of the resamples.
        threshold: of the network's scores.
    """
    training = replace(labelled, targets=targets_of(labelled, columns))
    measured = replace(test, targets=scored.targets)
    families = _families(columns, training, measured, settings)
    given = baseline_scores(
        training, measured, columns.task, n_outputs=columns.n_outputs, families=families, seed=seed
    )
    options: dict[str, Any] = {"seed": seed, "n_bootstrap": settings.bootstrap, "weights": test.weights}
    targets = scored.targets
    found = {
        name: compute_metrics(columns.task, targets, scores, **options) for name, scores in given.items()
    }
    sentences = compare_with_baselines(
        columns.task, targets, scored.inputs, given, threshold=threshold.value, **options
    )
    return BaselineComparison(metrics=MetricsByModel.model_validate(found), conclusions=tuple(sentences))


def _families(
    columns: DataSpec, training: TensorData, measured: TensorData, settings: EvaluationSettings
) -> tuple[Family, ...]:
    """Return the families of baselines that rows are worth."""
    found = usual_families(
        columns.task,
        images=columns.image_shape is not None,
        n_products=float(len(training)) * measured.inputs.numel(),
        n_rows=len(training),
        n_outputs=columns.n_outputs,
        all_of_them=settings.baselines is True,
    )
    if not found:
        log.info("No baselines: nearest neighbors would take too long on so many images")
    elif len(found) == 1 and columns.image_shape is None:
        log.info(
            "Baselines: a linear model alone; trees for each of %d outputs would take too long, and "
            "evaluation.baselines=true grows them",
            columns.n_outputs,
        )
    return found
