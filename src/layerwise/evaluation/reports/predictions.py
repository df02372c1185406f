"""The table of a network's predictions beside the true targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from layerwise.data import DataSpec
from layerwise.evaluation.metrics import reaches_threshold

if TYPE_CHECKING:
    import pandas as pd


def make_prediction_table(
    columns: DataSpec, targets: Tensor, scores: Tensor, threshold: float = 0.5
) -> pd.DataFrame:
    """Return targets, predictions and probabilities, one line for each row, in their order.

    Args:
        columns: what the rows are.
        targets: (n,) class codes for multiclass, (n, k) otherwise, in the units of the (transformed) target.
        scores: (n, k) probabilities, or values.
        threshold: from which a row of a binary task is predicted positive.
    """
    import pandas as pd

    true, given = targets.numpy(), scores.numpy()
    if columns.task in ("regression", "multilabel"):
        names = columns.target_names or tuple(f"output_{k}" for k in range(given.shape[1]))
        parts = {f"true_{name}": true[:, k] for k, name in enumerate(names)}
        return pd.DataFrame(parts | {f"predicted_{name}": given[:, k] for k, name in enumerate(names)})
    classes = np.asarray(columns.class_names, dtype=object)
    if columns.task == "binary":
        class_indices, chosen = true[:, 0].astype(int), reaches_threshold(given[:, 0], threshold).astype(int)
        given = np.column_stack([1 - given[:, 0], given[:, 0]])
    else:
        class_indices, chosen = true, given.argmax(1)
    table = pd.DataFrame({"true": classes[class_indices], "predicted": classes[chosen]})
    for k, name in enumerate(columns.class_names):
        table[f"probability_{name}"] = given[:, k]
    return table
