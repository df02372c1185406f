"""A network's scores and the true targets of rows, in the same units."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import DecisionThreshold, Smearing, raw_means
from layerwise.training.supervised import probabilities

BATCH_SIZE = 2000
# From which score a row of a binary task is predicted positive, where no other was chosen.
HALF = DecisionThreshold(value=0.5)


def scores_of(network: nn.Module, rows: TensorData, columns: DataSpec) -> torch.Tensor:
    """Return probabilities, or values in the units of the (transformed) target, shape (rows, n_outputs)."""
    with torch.no_grad():
        outputs = torch.cat([network(part) for part in rows.inputs.split(BATCH_SIZE)])
    return columns.unscaled(probabilities(columns.task, outputs))


def score_rows(network: nn.Module, rows: TensorData, columns: DataSpec) -> TensorData:
    """Return rows with a network's scores in place of their inputs, and with their targets in the same units.

    The network answers each row once, for all that is measured and shown of its scores.
    """
    return TensorData(scores_of(network, rows, columns), targets_of(rows, columns), rows.weights)


def targets_of(rows: TensorData, columns: DataSpec) -> torch.Tensor:
    """Return the targets, those of a regression in the units of the (transformed) target."""
    assert rows.targets is not None
    return columns.unscaled(rows.targets)


def targets_in_y(targets: Any, columns: DataSpec) -> torch.Tensor:
    """Return targets of `targets_of` in the units of y, where a transformed y is learnt; others as they are."""
    given = torch.as_tensor(targets)
    if columns.target_transform == "none":
        return given
    return torch.from_numpy(columns.raw_targets(given.double().numpy()))


def means_in_y(scores: Any, columns: DataSpec, smearing: Smearing) -> torch.Tensor:
    """Return scores of `scores_of` in the units of y, where a transformed y is learnt; others as they are.

    Args:
        scores: (n, k).
        columns: what is predicted.
        smearing: what makes means of the medians of y, which stay without it.
    """
    if columns.target_transform == "none":
        return torch.as_tensor(scores)
    return torch.from_numpy(raw_means(scores, smearing, columns.transform))
