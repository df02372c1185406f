"""Permutation importance: how much worse a network predicts when one column is shuffled (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics.supervised import compute_metrics
from layerwise.utils import Config, torch_rng

DEFAULT_METRIC = {"regression": "rmse"}


class Importance(Config):
    """The metric's loss when a block of columns is shuffled: mean and standard deviation over shuffles."""

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
    """Return the importance of each block of columns, the highest first.

    The dummies of a category are shuffled together, so that no row becomes impossible. Positive always
    means that the network needs the block, whether the metric is better high or low. Correlated columns
    divide their importance among them, and each can look useless alone.

    Args:
        predict: (n, d) inputs to (n, k) scores.
        rows: validation rows, with targets.
        data_spec: names the blocks and the task.
        metric: any name that `compute_metrics` returns; log_loss, or rmse for regression, by default.
        n_repeats: shuffles for each block.
        seed: of the shuffles.

    Raises:
        ValueError: the task has no such metric.
    """
    name = metric or DEFAULT_METRIC.get(data_spec.task, "log_loss")
    whole = compute_metrics(data_spec.task, rows.targets, predict(rows.inputs), n_bootstrap=0)
    if name not in whole:
        raise ValueError(f"{data_spec.task} rows have no metric '{name}'; known: {', '.join(sorted(whole))}")
    sign = 1.0 if whole[name].better == "higher" else -1.0
    result = []
    for block in data_spec.blocks:
        rng = torch_rng(seed, "importance", block.name, device=rows.inputs.device)
        drops = []
        for _ in range(n_repeats):
            order = torch.randperm(len(rows), generator=rng, device=rows.inputs.device)
            shuffled = rows.inputs.clone()
            shuffled[:, block.start : block.stop] = rows.inputs[order, block.start : block.stop]
            shuffled_metrics = compute_metrics(data_spec.task, rows.targets, predict(shuffled), n_bootstrap=0)
            drops.append(sign * (whole[name].value - shuffled_metrics[name].value))
        result.append(Importance(name=block.name, mean=float(np.mean(drops)), std=float(np.std(drops))))
    return sorted(result, key=lambda importance: -importance.mean)
