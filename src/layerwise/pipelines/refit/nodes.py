"""Train a network anew on all rows, once it has been measured."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import nn

from layerwise.data import Split, TensorData
from layerwise.data.preprocessing import Preprocessor
from layerwise.evaluation.metrics import LoggedMetric, LoggedMetrics
from layerwise.evaluation.reports import EvaluationReport
from layerwise.models import CalibratedNetwork
from layerwise.pipelines.cross_validation.nodes import FoldNodes, given_data
from layerwise.pipelines.facts import current_facts, trained_network
from layerwise.training.supervised import FinetuningHistory, FinetuningSettings
from layerwise.utils import current_checkpoint_store

log = logging.getLogger(__name__)


def refit_network(
    of: FoldNodes,
    raw: Any,
    split: Split,
    history: FinetuningHistory,
    network: nn.Module,
    report: EvaluationReport,
    **settings: Any,
) -> tuple[nn.Module, Preprocessor, TensorData, LoggedMetrics]:
    """Train on training, validation and test rows together, for as many epochs as were best on the validation rows.

    Nothing is chosen any more: no early stop, and the weights are those of the last epoch. Sizes and settings are those
    of the network that was measured, its schedule is stretched over the epochs that are left, and its calibration is
    kept.

    Args:
        of: the nodes from the split to the trained network.
        raw: all rows.
        split: of the network that was measured.
        history: of its fine-tuning.
        network: what was measured, whose calibration is kept.
        report: of its test rows: the last training waits for it.
        settings: that the nodes read, by their keys, with the sizes that the rows had decided.

    Returns:
        The network, its preprocessor, the rows that it has seen, and its curves as `refit/...`.
    """
    log.info(
        "The conclusion stands (%d metrics): the network is trained anew on all rows", len(report.network)
    )
    rows = np.concatenate([split.training, split.validation, split.test])
    whole = split.model_copy(update={"training": rows, "test": rows[:0]})
    settings = settings | {"finetuning": _without_choice(settings["finetuning"], history)}
    checkpoints = current_checkpoint_store()
    if checkpoints is not None:
        checkpoints.set_scope(f"refit_{of.pipeline}")
    data, reports = of.run(given_data(of, raw, whole, settings))
    found = data[f"{of.pipeline}.{trained_network(current_facts())}"]
    if isinstance(network, CalibratedNetwork):
        found = network.around(found)
    seen = TensorData(data[f"{of.pipeline}.training"].inputs)
    return found, data[f"{of.pipeline}.preprocessor"], seen, _curves(reports)


def _without_choice(settings: FinetuningSettings, history: FinetuningHistory) -> FinetuningSettings:
    """Return the settings of as many epochs as were best, whose last weights are kept."""
    last = {"epochs": history.best_epoch or len(history.epochs), "patience": None, "keep_best_weights": False}
    return settings.model_copy(update=last)


def _curves(reports: Iterable[tuple[Mapping[str, float], int | None]]) -> LoggedMetrics:
    curves = {
        (name, step): LoggedMetric(name=f"refit/{name}", value=value, step=step)
        for values, step in reports
        for name, value in values.items()
        if name.startswith("train/")
    }
    return LoggedMetrics(tuple(curves.values()))
