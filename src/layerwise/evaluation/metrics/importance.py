"""Permutation importance: how much worse a network predicts when one column is shuffled (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor

from layerwise.data import DataSpec, TensorData, raw_columns
from layerwise.evaluation.metrics.supervised import compute_metrics
from layerwise.utils import Config, torch_rng

DEFAULT_METRIC = {"regression": "rmse"}


class Importance(Config):
    """The metric's loss when a raw column is shuffled: mean and standard deviation over shuffles."""

    name: str
    mean: float
    std: float


class ImportanceTable(RootModel[tuple[Importance, ...]]):
    """The importance of each block of columns, the highest first."""

    model_config = ConfigDict(frozen=True)


def permutation_importance(
    predict: Callable[[Tensor], Tensor],
    rows: TensorData,
    data_spec: DataSpec,
    *,
    metric: str | None = None,
    n_repeats: int = 5,
    seed: int = 0,
) -> list[Importance]:
    """Return the importance of each raw column, the highest first.

    What comes from one raw column is shuffled together, so that no row becomes impossible: the dummies of a category,
    the parts of a date, a number and its indicator of empty cells. Positive always means that the network needs the
    column, whether the metric is better high or low. Correlated columns divide their importance among them, and each
    can look useless alone.

    Args:
        predict: (n, d) inputs to (n, k) scores.
        rows: validation rows, with targets.
        data_spec: names the columns and the task.
        metric: any name that `compute_metrics` returns; log_loss, or rmse for regression, by default.
        n_repeats: shuffles for each column.
        seed: of the shuffles.

    Raises:
        ValueError: the task has no such metric.
    """
    name = metric or DEFAULT_METRIC.get(data_spec.task, "log_loss")
    whole = compute_metrics(
        data_spec.task, rows.targets, predict(rows.inputs), n_bootstrap=0, weights=rows.weights
    )
    if name not in whole:
        raise ValueError(f"{data_spec.task} rows have no metric '{name}'; known: {', '.join(sorted(whole))}")
    sign = 1.0 if whole[name].better == "higher" else -1.0
    result = []
    for name_of_column, blocks in raw_columns(data_spec.blocks).items():
        columns = torch.tensor([k for block in blocks for k in block.columns], device=rows.inputs.device)
        rng = torch_rng(seed, "importance", name_of_column, device=rows.inputs.device)
        drops = []
        for _ in range(n_repeats):
            order = torch.randperm(len(rows), generator=rng, device=rows.inputs.device)
            shuffled = rows.inputs.clone()
            shuffled[:, columns] = rows.inputs[order][:, columns]
            shuffled_metrics = compute_metrics(
                data_spec.task, rows.targets, predict(shuffled), n_bootstrap=0, weights=rows.weights
            )
            drops.append(sign * (whole[name].value - shuffled_metrics[name].value))
        result.append(Importance(name=name_of_column, mean=float(np.mean(drops)), std=float(np.std(drops))))
    return sorted(result, key=lambda importance: -importance.mean)
