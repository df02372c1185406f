"""Permutation importance: how much worse a network answers when one column is shuffled (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from layerwise.data.tensors import Description, Rows
from layerwise.evaluation.metrics.supervised import measures
from layerwise.utils.config import Config
from layerwise.utils.random_streams import generator_for

DEFAULT_MEASURE = {"regression": "rmse"}


class Importance(Config):
    """What a block of columns is worth: the loss of the measure over several shuffles of the block."""

    name: str
    mean: float
    spread: float


def permutation_importance(
    predict: Callable[[Tensor], Tensor],
    rows: Rows,
    description: Description,
    *,
    measure: str | None = None,
    repeats: int = 5,
    seed: int = 0,
) -> list[Importance]:
    """Return the importance of each block of columns, the highest first.

    The dummies of a category are shuffled together, so that no row becomes impossible. Positive always
    means that the network needs the block, whether the measure is better high or low. Columns that say the
    same thing share their importance out, and each can look useless alone.

    Args:
        predict: (n, d) inputs to (n, k) scores.
        rows: validation rows, with targets.
        description: names the blocks and the task.
        measure: any name that `measures` returns; log_loss, or rmse for regression, by default.
        repeats: shuffles for each block.
        seed: of the shuffles.

    Raises:
        ValueError: the task has no such measure.
    """
    name = measure or DEFAULT_MEASURE.get(description.task, "log_loss")
    whole = measures(description.task, rows.targets, predict(rows.inputs), n_bootstrap=0)
    if name not in whole:
        raise ValueError(
            f"{description.task} rows have no measure '{name}'; known: {', '.join(sorted(whole))}"
        )
    sign = 1.0 if whole[name].better == "higher" else -1.0
    result = []
    for block in description.blocks:
        generator = generator_for(seed, "importance", block.name, device=rows.inputs.device)
        drops = []
        for _ in range(repeats):
            order = torch.randperm(len(rows), generator=generator, device=rows.inputs.device)
            shuffled = rows.inputs.clone()
            shuffled[:, block.start : block.stop] = rows.inputs[order, block.start : block.stop]
            figures = measures(description.task, rows.targets, predict(shuffled), n_bootstrap=0)
            drops.append(sign * (whole[name].value - figures[name].value))
        result.append(Importance(name=block.name, mean=float(np.mean(drops)), spread=float(np.std(drops))))
    return sorted(result, key=lambda importance: -importance.mean)
