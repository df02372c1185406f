"""Run the nodes of a supervised pipeline on each fold: from raw rows to the metrics of the fold's test rows."""

import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from kedro.pipeline import Node

from layerwise.data import (
    Folds,
    Split,
    TensorData,
)
from layerwise.evaluation.reports import CrossValidation, Fold, make_fold
from layerwise.parameters import EvaluationSettings
from layerwise.utils import collected_reports, current_checkpoint_store, derive_seed

log = logging.getLogger(__name__)


# Data sets that are read beside the rows and are no parameters.
FURTHER_ROWS = ("unlabelled_source",)


class FoldNodes(NamedTuple):
    """What runs on each fold.

    Args:
        nodes: in the order in which they run, without the one that splits the rows.
        pipeline: the name that begins their data sets.
    """

    nodes: Sequence[Node]
    pipeline: str

    def run(self, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[dict[str, float], int | None]]]:
        """Return the data sets that are given with those that the nodes make, and what was reported on the way."""
        found = dict(data)
        with collected_reports() as reports:
            for node in self.nodes:
                found |= node.run({each: found[each] for each in node.inputs})
        return found, reports


def cross_validate(of: FoldNodes, raw: Any, folds: Folds, **parameters: Any) -> CrossValidation:
    """Train and measure on every fold, and return the metrics with their means and intervals.

    A fold has a seed of its own. Its preprocessor is fitted, its network trained, its best epoch, its point of a grid
    and its threshold are chosen on its training and validation rows; its test rows are read by its metrics alone.

    Args:
        of: the nodes that run.
        raw: all rows.
        folds: the splits.
        parameters: that the nodes read, by their keys.
    """
    found = [run_fold(of, raw, folds, k, parameters) for k in range(len(folds.root))]
    report = CrossValidation.of(found)
    log.info("%s", report)
    return report


def run_fold(of: FoldNodes, raw: Any, folds: Folds, k: int, parameters: dict[str, Any]) -> Fold:
    """Train and measure on one fold.

    Args:
        of: the nodes that run.
        raw: all rows.
        folds: the splits.
        k: the position of the fold.
        parameters: that the nodes read, by their keys.
    """
    name, began = folds.name(k), time.perf_counter()
    checkpoints = current_checkpoint_store()
    if checkpoints is not None:  # each fold's training is kept under a name of its own
        checkpoints.set_scope(f"cross_validate_{of.pipeline}.{name}")
    evaluation: EvaluationSettings = parameters["evaluation"]
    settings = parameters | {
        "evaluation": evaluation.model_copy(update={"bootstrap": 0}),
        "seed": derive_seed(parameters["seed"], "fold", k) % 2**31,
    }
    data, reports = of.run(given_data(of, raw, folds.root[k], settings))
    parts: list[TensorData] = [data[f"{of.pipeline}.{part}"] for part in ("training", "validation", "test")]
    sizes = len(parts[0]), len(parts[1]), len(parts[2])
    metrics = data[f"{of.pipeline}.network_metrics"].root
    found = make_fold(name, sizes, time.perf_counter() - began, metrics, reports)
    log.info("%s, fold %d of %d: %s", of.pipeline, k + 1, len(folds.root), found)
    return found


def given_data(of: FoldNodes, raw: Any, split: Split, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the data sets that the nodes of a fold are given: rows, split, parameters, and further rows by their name.

    Args:
        of: the nodes.
        raw: all rows, read.
        split: of the fold.
        settings: parameters by their keys, and what else the nodes read.
    """
    data: dict[str, Any] = {"raw": raw, f"{of.pipeline}.rows": raw, f"{of.pipeline}.split": split}
    return data | {key if key in FURTHER_ROWS else f"params:{key}": value for key, value in settings.items()}
