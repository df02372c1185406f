"""Baselines on the rows that a network was trained on, and how it compares with them."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from layerwise.data import DataSpec, Task, TensorData
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
from layerwise.utils import sampled_rows, torch_rng

log = logging.getLogger(__name__)

# More rows change what a baseline says by less than its interval, and take minutes.
FITTED_ROWS, MEASURED_ROWS = 100_000, 50_000


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

    Of more than 100,000 labelled rows so many are sampled, of more than 50,000 test rows as many as that; a note says
    so.

    Args:
        scored: the network's scores of the test rows.
        labelled, test: the rows.
        columns: what is predicted.
        settings: of the evaluation.
        seed: of the baselines and of the resamples.
        threshold: of the network's scores.
    """
    families = _families(columns, labelled, test, settings)
    numbers = len(labelled), len(test)
    labelled, scored, test = _sampled_rows(labelled, scored, test, seed)
    training = replace(labelled, targets=targets_of(labelled, columns))
    measured = replace(test, targets=scored.targets)
    given = baseline_scores(
        training, measured, columns.task, n_outputs=columns.n_outputs, families=families, seed=seed
    )
    options: dict[str, Any] = {"seed": seed, "n_bootstrap": settings.bootstrap, "weights": test.weights}
    notes = _notes(numbers, (len(training), len(measured)))
    return _compared(columns.task, scored, given, threshold, options).model_copy(update={"notes": notes})


def _compared(
    task: Task,
    scored: TensorData,
    given: dict[str, np.ndarray],
    threshold: DecisionThreshold,
    options: dict[str, Any],
) -> BaselineComparison:
    """Return the metrics of baselines by their scores, and what the network's scores lose to."""
    targets = scored.targets
    found = {name: compute_metrics(task, targets, scores, **options) for name, scores in given.items()}
    sentences = compare_with_baselines(
        task, targets, scored.inputs, given, threshold=threshold.value, **options
    )
    return BaselineComparison(metrics=MetricsByModel.model_validate(found), conclusions=tuple(sentences))


def _sampled_rows(
    labelled: TensorData, scored: TensorData, test: TensorData, seed: int
) -> tuple[TensorData, TensorData, TensorData]:
    """Return the rows that baselines are fitted on, and the scores and rows that they are measured on."""
    fitted = sampled_rows(len(labelled), FITTED_ROWS, torch_rng(seed, "baselines", "fitted"))
    measured = sampled_rows(len(test), MEASURED_ROWS, torch_rng(seed, "baselines", "measured"))
    return labelled[fitted], scored[measured], test[measured]


def _notes(there: tuple[int, int], taken: tuple[int, int]) -> tuple[str, ...]:
    """Return the sentence that says of how many rows the baselines are, unless it is of all."""
    if there == taken:
        return ()
    return (
        f"Baselines are fitted on {taken[0]:,} of the {there[0]:,} labelled rows, and compared with the network on "
        f"{taken[1]:,} of the {there[1]:,} test rows, drawn at random.",
    )


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
