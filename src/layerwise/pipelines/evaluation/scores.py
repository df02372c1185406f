"""A network's scores and the true targets of rows, in the same units."""

from __future__ import annotations

import numpy as np
import torch

from layerwise.data import DataSpec, TensorData
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.models import MLP
from layerwise.training.supervised import probabilities

BATCH_SIZE = 2000


def scores_of(network: MLP, rows: TensorData, columns: DataSpec) -> torch.Tensor:
    """Return probabilities, or values in the units of the (transformed) target, shape (rows, n_outputs)."""
    with torch.no_grad():
        outputs = torch.cat([network(part) for part in rows.inputs.split(BATCH_SIZE)])
    return columns.unscaled(probabilities(columns.task, outputs))


def targets_of(rows: TensorData, columns: DataSpec) -> torch.Tensor:
    """Return the targets, those of a regression in the units of the (transformed) target."""
    assert rows.targets is not None
    return columns.unscaled(rows.targets)


def raw_values(
    network: MLP, rows: TensorData, preprocessor: LabelledPreprocessor
) -> tuple[np.ndarray, np.ndarray]:
    """Return a regression's targets and the network's values, both (n, k) in the units of the raw targets."""
    assert rows.targets is not None
    with torch.no_grad():
        values = network(rows.inputs)
    return preprocessor.restore_targets(rows.targets.numpy()), preprocessor.restore_targets(values.numpy())
