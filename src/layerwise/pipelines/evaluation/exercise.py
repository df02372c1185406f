"""The forest fires exercise as it is taught, beside what is right: three accuracies on the same test rows."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd

from layerwise.data.derivations import classic_csv, classic_table
from layerwise.data.preprocessing.preprocessor import fit_preparation, prepare_rows
from layerwise.data.problem import PreparationSettings, Problem
from layerwise.data.splits import Split
from layerwise.data.tensors import Description, Rows
from layerwise.evaluation.metrics.supervised import Measure, measures
from layerwise.models.mlp import MLP
from layerwise.parameters.keys import EvaluationSettings, MLPSettings
from layerwise.pipelines.evaluation.scores import scores_of, targets_of
from layerwise.pipelines.finetuning.nodes import finetune_random_start
from layerwise.training.supervised.settings import FinetuningSettings

TAUGHT, RIGHT, WITHOUT = (
    "as taught: scaler refitted on the test rows",
    "scaler of the training rows",
    "without area",
)
LABEL = "area"


def repeat_exercise(
    network: MLP,
    raw: Any,
    split: dict[str, list[int]],
    test: Rows,
    description: dict[str, Any],
    problem: Problem,
    preparing: PreparationSettings,
    mlp: MLPSettings,
    finetuning: FinetuningSettings,
    evaluation: EvaluationSettings,
    seed: int,
) -> dict[str, Any]:
    """Measure the network as the exercise does, and one like it without the column that is the label.

    The exercise calls `fit_transform` on the test rows too, so that they are scaled by their own means; the
    network is the same. Nothing is done for any other problem.

    Returns:
        Measures by variant, and what there is to say, a sentence each; empty for other problems.
    """
    if problem.derive != "forest_fires_classic":
        return {}
    columns = Description(**description)

    def measured(net: MLP, rows: Rows, of: Description) -> dict[str, Measure]:
        targets, scores = targets_of(rows, of), scores_of(net, rows, of)
        return measures(of.task, targets, scores, of.class_names, seed=seed, n_bootstrap=evaluation.bootstrap)

    # Scaling scaled rows by their own means is scaling the raw ones: both maps are affine.
    spread = test.inputs.std(0, correction=0)
    refitted = test.with_inputs(
        (test.inputs - test.inputs.mean(0)) / spread.where(spread > 0, spread.new_ones(()))
    )
    found = {TAUGHT: measured(network, refitted, columns), RIGHT: measured(network, test, columns)}
    if LABEL not in problem.drop:
        honest = problem.model_copy(update={"drop": (*problem.drop, LABEL), "allow_leak": False})
        fitted = fit_preparation(raw, Split.from_dict(split), honest, preparing, seed)
        training, validation, rest = prepare_rows(raw, Split.from_dict(split), fitted)
        other, _ = finetune_random_start(
            training, validation, fitted.description.model_dump(), mlp, finetuning, seed, quiet=True
        )
        found[WITHOUT] = measured(other, rest, fitted.description)
    return {
        "variants": {name: {m: each.model_dump() for m, each in of.items()} for name, of in found.items()},
        "sentences": _sentences(raw, {name: of["accuracy"] for name, of in found.items()}),
    }


def _sentences(raw: pd.DataFrame, accuracy: dict[str, Measure]) -> list[str]:
    table = classic_table(raw)
    base = accuracy[RIGHT].base_rate
    return [
        f"The table of the exercise has {table.shape[1]} columns and {int(table.isna().sum().sum())} missing values; "
        f"derived from the original, its file has sha256 {hashlib.sha256(classic_csv(raw)).hexdigest()}.",
        "Accuracies: "
        + "; ".join(f"{name} {each}" for name, each in accuracy.items())
        + f"; base rate {base:.4f}.",
        "Refitting the scaler on the test rows is wrong: each row's answer then depends on the other test rows, and "
        "inputs no longer mean what they meant in training.",
        "`area` is the label in another form (large iff above 6 hectares): what the first two accuracies show is that "
        "the network can read it.",
    ]
