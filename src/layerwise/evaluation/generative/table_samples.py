"""All metrics of a table's generated rows: column by column, and row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.generative.privacy import Privacy, measure_privacy
from layerwise.evaluation.generative.tables import (
    associations,
    detection_auc,
    marginal_distance,
    numeric_columns,
    synthetic_data_utility,
)
from layerwise.evaluation.metrics import Array, as_array
from layerwise.utils import Config

if TYPE_CHECKING:
    import pandas as pd


class ColumnFidelity(Config):
    """How the columns of generated rows compare with those of test rows.

    Args:
        marginals: the distance of each column's distributions, 0 to 1.
        marginal: their mean.
        pairwise: the mean difference of the associations of two columns.
        worst_pair: the two columns whose association differs most.
        exact_copies: the fraction of generated rows that are a training row in every column.
    """

    marginals: dict[str, float]
    marginal: float
    pairwise: float
    worst_pair: tuple[str, str]
    exact_copies: float

    def metrics(self) -> dict[str, float]:
        """Return the numbers that a run logs by name."""
        return {
            "marginal_distance": self.marginal,
            "pairwise_distance": self.pairwise,
            "exact_copies": self.exact_copies,
        }


class Utility(Config):
    """A model's metric on real test rows, when it learnt from real rows and from synthetic ones."""

    metric: str
    real: float
    synthetic: float


class RowFidelity(Config):
    """How generated rows compare with real ones as a whole, the target among their columns.

    Args:
        detection_auc: of gradient boosting between generated and test rows; 0.5 says that it cannot tell them apart.
        utility: by model; of a table with a target.
        privacy: what the rows tell of training rows.
        classes: the fraction of each class among `real` training rows and `generated` ones; of classes alone.
        agreement: the fraction of rows whose class a network that learnt from real rows predicts.
    """

    detection_auc: float
    privacy: Privacy
    utility: dict[str, Utility] = Field(default_factory=dict)
    classes: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    agreement: dict[str, float] = Field(default_factory=dict)

    def metrics(self) -> dict[str, float]:
        """Return the numbers that a run logs by name."""
        boosting = self.utility.get("gradient boosting")
        found = {}
        if boosting is not None:
            found[f"synthetic_{boosting.metric}"] = boosting.synthetic
            found[f"real_{boosting.metric}"] = boosting.real
        return found | {"detection_auc": self.detection_auc} | self.privacy.metrics()

    def __str__(self) -> str:
        boosting = self.utility.get("gradient boosting")
        if boosting is None:
            return f"Synthetic and test rows: detection AUC {self.detection_auc:.3f}"
        return (
            f"Gradient boosting, tested on real rows: {boosting.metric} {boosting.synthetic:.4f} trained on synthetic "
            f"rows, {boosting.real:.4f} on real ones; detection AUC {self.detection_auc:.3f}"
        )


def compare_columns(generated: pd.DataFrame, training: pd.DataFrame, test: pd.DataFrame) -> ColumnFidelity:
    """Compare generated rows with test rows of the same columns, and look for copies of training rows."""
    names = [str(name) for name in generated]
    marginals = {name: marginal_distance(test[name], generated[name]) for name in names}
    numeric = numeric_columns(test)
    pairs = np.abs(associations(test, numeric) - associations(generated, numeric))
    first, second = np.unravel_index(int(pairs.argmax()), pairs.shape)
    return ColumnFidelity(
        marginals=marginals,
        marginal=float(np.mean(list(marginals.values()))),
        pairwise=float(pairs[np.triu_indices(len(names), 1)].mean()),
        worst_pair=(names[int(first)], names[int(second)]),
        exact_copies=_exact_copies_fraction(training, generated),
    )


def compare_rows(
    generated: TensorData,
    training: TensorData,
    test: TensorData,
    columns: DataSpec,
    predict: Callable[[Tensor], Tensor] | None,
    seed: int,
) -> RowFidelity:
    """Compare generated rows with test rows by detection and privacy, of a table with a target by utility too.

    Args:
        generated: preprocessed as the others.
        training: the rows that the generator learnt from.
        test: other ones.
        columns: what they are.
        predict: maps inputs to the classes that a network expects; None where there are no classes.
        seed: of the run.
    """
    whole = [
        np.column_stack([rows.inputs.numpy(), _target_columns(rows, columns)])
        for rows in (training, test, generated)
    ]
    known, real, synthetic = whole
    found: dict[str, Any] = {}
    if training.targets is not None:
        utility = synthetic_data_utility(training, generated, test, columns.task, columns.n_outputs, seed)
        found["utility"] = {name: Utility(**each) for name, each in utility.items()}
    if predict is not None:
        n_classes = len(columns.class_names)
        pairs = {"real": training, "generated": generated}
        found["classes"] = {name: _class_fractions(rows, n_classes) for name, rows in pairs.items()}
        found["agreement"] = {"real": _agreement(predict, test), "generated": _agreement(predict, generated)}
    return RowFidelity(
        detection_auc=detection_auc(real, synthetic, seed),
        privacy=measure_privacy(known, real, synthetic, seed),
        **found,
    )


def _target_columns(rows: TensorData, columns: DataSpec) -> Array:
    if rows.targets is None:
        return np.empty((len(rows), 0))
    if columns.task == "multiclass":
        return np.eye(columns.n_outputs)[rows.targets.numpy()]
    return rows.targets.numpy()


def _class_codes(rows: TensorData) -> Array:
    assert rows.targets is not None
    return rows.targets.reshape(-1).long().numpy()


def _class_fractions(rows: TensorData, n_classes: int) -> tuple[float, ...]:
    return tuple((np.bincount(_class_codes(rows), minlength=n_classes) / len(rows)).tolist())


def _agreement(predict: Callable[[Tensor], Tensor], rows: TensorData) -> float:
    return float((as_array(predict(rows.inputs)) == _class_codes(rows)).mean())


def _exact_copies_fraction(training: pd.DataFrame, generated: pd.DataFrame) -> float:
    known = set(map(tuple, training.astype(str).to_numpy()))
    return float(np.mean([tuple(row) in known for row in generated.astype(str).to_numpy()]))
