"""Classify raw rows by an RBM with label units, which a run trains beside its RBM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from layerwise.inference.reproducible import apply_in_blocks
from layerwise.inference.tasks.base import Task, register_task
from layerwise.models.rbm import class_log_probabilities
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


@register_task
class Classify(Task):
    """Return the class of each row, and p(class | row) exactly, by the free energies of the row with each label.

    The columns are those of `predict` (Larochelle & Bengio 2008).
    """

    name = "classify"
    order = 15

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the model holds an RBM with label units."""
        return model.parts.classification_rbm is not None

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the answer's columns."""
        none = np.zeros((0, model.columns.n_outputs), np.float32)
        return [str(name) for name in model.interpret_scores(none)]

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the classes and their probabilities."""
        rbm = model.parts.classification_rbm
        assert rbm is not None
        rbm, n_classes = rbm.to(model.device), model.columns.n_classes

        def probabilities(inputs: Tensor) -> Tensor:
            return class_log_probabilities(rbm, inputs, n_classes).exp()

        found = apply_in_blocks(probabilities, model.inputs(rows), model.device).numpy()
        return model.interpret_scores(found[:, 1:] if model.columns.task == "binary" else found)
