"""A network's scores and the true targets of rows, in the same units."""

from __future__ import annotations

import torch
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import DecisionThreshold
from layerwise.training.supervised import probabilities

BATCH_SIZE = 2000
# From which score a row of a binary task is predicted positive, where no other was chosen.
HALF = DecisionThreshold(value=0.5)


def scores_of(network: nn.Module, rows: TensorData, columns: DataSpec) -> torch.Tensor:
    """Return probabilities, or values in the units of the (transformed) target, shape (rows, n_outputs)."""
    with torch.no_grad():
        outputs = torch.cat([network(part) for part in rows.inputs.split(BATCH_SIZE)])
    return columns.unscaled(probabilities(columns.task, outputs))


def targets_of(rows: TensorData, columns: DataSpec) -> torch.Tensor:
    """Return the targets, those of a regression in the units of the (transformed) target."""
    assert rows.targets is not None
    return columns.unscaled(rows.targets)
