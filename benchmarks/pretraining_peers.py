"""What `pretraining.py` compares networks with: models of scikit-learn, on the same labels and the same columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pretraining_rows import Rows, class_numbers
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier


def _boosting(rate: float, leaves: int) -> Any:
    return HistGradientBoostingClassifier(
        learning_rate=rate, max_leaf_nodes=leaves, max_iter=150, early_stopping=True, n_iter_no_change=10,
        min_samples_leaf=5, random_state=0,
    )  # fmt: skip


# Each with the settings among which the validation rows choose.
PEERS: Mapping[str, Mapping[str, Callable[[], Any]]] = {
    "logistic regression": {
        f"C {c:g}": lambda c=c: LogisticRegression(C=c, max_iter=300) for c in (0.001, 0.01, 0.1, 1.0, 10.0)
    },
    "nearest neighbors": {
        f"k {k}": lambda k=k: KNeighborsClassifier(k, weights="distance") for k in (1, 3, 5, 10, 20)
    },
    "gradient boosting": {
        f"rate {rate:g}, {leaves} leaves": lambda rate=rate, leaves=leaves: _boosting(rate, leaves)
        for rate, leaves in ((0.1, 8), (0.05, 16))
    },
}


def search(rows: Rows, peer: str, n_labels: int | None) -> list[tuple[float, str]]:
    """Return the settings with their errors on the validation rows, by the labels of seed 0, the best one first."""
    found = []
    for name, make in PEERS[peer].items():
        wrong = _fit(rows, make(), n_labels, 0).predict(_matrix(rows.validation)) != class_numbers(
            rows.validation.targets
        )
        found.append((float(wrong.mean()), name))
    return sorted(found, key=lambda each: each[0])


def test(rows: Rows, peer: str, setting: str, n_labels: int | None, seeds: Sequence[int]) -> np.ndarray:
    """Fit a model for the labels of each seed and read the test rows: (seeds, rows), true where wrong.

    Of all labels there is one choice, and so one model.
    """
    right = class_numbers(rows.test.targets)
    return np.stack(
        [
            _fit(rows, PEERS[peer][setting](), n_labels, seed).predict(_matrix(rows.test)) != right
            for seed in (seeds if n_labels is not None else seeds[:1])
        ]
    )


def _fit(rows: Rows, model: Any, n_labels: int | None, seed: int) -> Any:
    labelled = rows.labelled(n_labels, seed)
    inputs, classes = _matrix(labelled), class_numbers(labelled.targets)
    if isinstance(model, KNeighborsClassifier):
        return model.set_params(n_neighbors=min(model.n_neighbors, len(classes))).fit(inputs, classes)
    if not isinstance(model, HistGradientBoostingClassifier):
        return model.fit(inputs, classes)
    if rows.columns.image_shape is not None:  # as good with fewer grays, in half the time
        model.set_params(max_bins=31, max_iter=100)
    held_out = class_numbers(rows.validation.targets)
    known = np.isin(held_out, classes)
    return model.fit(inputs, classes, X_val=_matrix(rows.validation)[known], y_val=held_out[known])


def _matrix(rows: Any) -> np.ndarray:
    return rows.inputs.numpy()
