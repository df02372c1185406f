"""Predict the target of raw rows with a supervised network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.inference.tasks.base import Task, register_task
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


@register_task
class Predict(Task):
    """Return a prediction for each row, as `TrainedModel.interpret_scores` has it."""

    name = "predict"
    joins_requests = True
    order = 0

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network is a supervised one."""
        return model.is_supervised

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the predictions' columns."""
        none = np.zeros((0, model.columns.n_outputs), np.float32)
        return [str(name) for name in model.interpret_scores(none)]

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the predictions."""
        return model.interpret_rows(rows)
