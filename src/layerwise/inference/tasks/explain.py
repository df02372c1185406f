"""Explain predictions: what each raw column adds to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from layerwise.data import raw_columns
from layerwise.data.reading import typical_inputs
from layerwise.evaluation.shapley import antithetic_permutations, shapley_values
from layerwise.inference.tasks.base import Task, register_task
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


@register_task
class Explain(Task):
    """Return each prediction, what it begins at, and by how much each raw column moves it there.

    `answer` is the probability of the predicted class (of two classes that of the positive one) or the value; `base` is
    its mean over made-up rows, whose columns are drawn each for itself from what the model has kept of the training
    rows, none of which it holds. `contribution_<column>` are Shapley values; they add up to the answer less the base. A
    contribution says what the column did to this network's answer, and not what causes the target.

    With `samples` made-up rows, each in two orders of the columns; `seed` draws both.
    """

    name = "explain"
    order = 5
    uses = ("samples", "seed")

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network predicts the targets of tables of several columns."""
        return (
            model.is_supervised and not model.has_image_inputs and len(raw_columns(model.columns.blocks)) > 1
        )

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the answer's columns; of several targets those of each."""
        names = ["answer", "base", *(f"contribution_{name}" for name in raw_columns(model.columns.blocks))]
        targets = self._targets(model)
        if not targets:
            explained = [] if model.columns.task == "regression" else ["explained"]
            return [*explained, *names]
        return [f"{target}_{name}" for target in targets for name in names]

    def products(self, model: TrainedModel, settings: TaskSettings, n: int) -> float:
        """Return those of the made-up rows, each column by column in two orders."""
        columns = len(raw_columns(model.columns.blocks))
        return super().products(model, settings, n) * 2 * settings.samples * columns

    def _targets(self, model: TrainedModel) -> list[str]:
        """Return the names of the targets where there are several."""
        names = list(model.columns.target_names)
        return names if model.columns.task in ("regression", "multilabel") and len(names) > 1 else []

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the predictions and the contributions."""
        import pandas as pd

        blocks = raw_columns(model.columns.blocks)
        inputs_of = [[k for block in each for k in block.columns] for each in blocks.values()]
        background = torch.from_numpy(typical_inputs(model.preprocessor, settings.samples, settings.seed))
        orders = antithetic_permutations(settings.samples, len(blocks), settings.seed)
        values, answers, base = shapley_values(
            lambda inputs: _answers(model, inputs), model.inputs(rows), background, inputs_of, orders
        )
        outputs = _explained(model, answers)
        at = torch.arange(len(answers))
        found: dict[str, Any] = {}
        if outputs is not None:
            names = model.columns.class_names
            positive = [model.columns.positive] * len(at)
            found["explained"] = positive if model.columns.task == "binary" else [names[k] for k in outputs]
        targets = self._targets(model) or [""]
        for k, target in enumerate(targets):
            chosen = torch.full_like(at, k) if outputs is None else outputs
            start = f"{target}_" if target else ""
            found[f"{start}answer"] = answers[at, chosen].numpy()
            found[f"{start}base"] = base[chosen].numpy()
            for column, name in enumerate(blocks):
                found[f"{start}contribution_{name}"] = values[at, column, chosen].numpy()
        return pd.DataFrame(found)


def _answers(model: TrainedModel, inputs: Tensor) -> Tensor:
    """Return probabilities, or values in the units of the target, (n, n_outputs) float64."""
    scores = model.scores_of(inputs)
    if model.columns.task != "regression":
        return scores.double()
    return torch.from_numpy(np.asarray(model.columns.raw_targets(scores.numpy()), dtype=np.float64))


def _explained(model: TrainedModel, answers: Tensor) -> Tensor | None:
    """Return which output of each row is explained; None of those that have all outputs explained."""
    match model.columns.task:
        case "multiclass":
            return answers.argmax(1)
        case "binary":
            return torch.zeros(len(answers), dtype=torch.long)
    return None
