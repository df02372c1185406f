"""A new model beside the champion, on raw rows that neither of them has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataError, channels_of
from layerwise.data.reading import parse_targets
from layerwise.data.sources import Images, images_of_arrays
from layerwise.evaluation.metrics import LOWER_IS_BETTER, compute_metrics, paired_difference, raw_means
from layerwise.inference.model import TrainedModel
from layerwise.inference.seen_rows import are_seen, hash_rows

if TYPE_CHECKING:
    import pandas as pd

# The metric by which models are compared, by task.
CHAMPION_METRICS = {"multiclass": "error", "binary": "roc_auc", "multilabel": "roc_auc", "regression": "rmse"}
LOWER = (*LOWER_IS_BETTER, "reconstruction_mse")
# Of fewer rows no difference is told from chance.
MIN_ROWS = 20


@dataclass(frozen=True)
class ModelComparison:
    """Two models on the same rows.

    Args:
        metric: by which they are compared.
        new: of the new model.
        old: of the champion.
        difference: new minus old, in the metric's unit.
        low, high: its 95 % interval.
        rows: how many rows it is of.
        left_out: the new model's test rows that the champion has seen, or the model that the new one started from.
    """

    metric: str
    new: float
    old: float
    difference: float
    low: float
    high: float
    rows: int
    left_out: int

    @property
    def wins(self) -> bool:
        """Whether the new model is better by more than chance: the interval leaves 0 out on its side."""
        return self.high < 0 if self.metric in LOWER else self.low > 0

    @property
    def is_better(self) -> bool:
        """Whether the new model is better at all."""
        return self.difference < 0 if self.metric in LOWER else self.difference > 0

    def __str__(self) -> str:
        left_out = f" ({self.left_out:,} that it has seen left out)" if self.left_out else ""
        return (
            f"{self.metric} {self.new:.4f}, the champion {self.old:.4f}, on {self.rows:,} rows that neither has seen"
            f"{left_out}: a difference of {self.difference:.4f} [{self.low:.4f}, {self.high:.4f}]"
        )


def compare_models(
    new: TrainedModel, old: TrainedModel, rows: pd.DataFrame | Images, *, same_test_rows: bool, seed: int = 0
) -> ModelComparison | str:
    """Compare two models on raw rows that the new one has not seen; a reason, if that cannot be done.

    Each model reads the raw rows by its own preprocessor, and a regression is judged in the units of the raw target.
    Rows count by the new model's sample weights, if it has some.

    Args:
        new: the new model.
        old: the champion.
        rows: the new model's test rows, raw, with their targets. The model that it started from may have seen some.
        same_test_rows: whether the champion was tested on these very rows, so that it has seen none of them.
        seed: of the resamples.
    """
    reason = _why_not(new, old)
    if reason:
        return reason
    same_test_rows = same_test_rows and not old.manifest.refit
    if not same_test_rows and old.seen_rows is None:
        return "it was tested on other rows, and its training rows are not known"
    if new.manifest.initial_model and new.seen_rows is None:
        return "this one started from a model whose training rows are not known"
    try:
        truth, given, usable = _targets_and_scores(new, rows)
        other, known = _scores(old, rows)
        seen = np.zeros(len(known), dtype=bool) if same_test_rows else which_are_seen(old, rows, known)
        if new.manifest.initial_model:
            seen |= which_are_seen(new, rows, usable)
    except (DataError, KeyError, ValueError) as error:
        return f"it cannot read these rows ({str(error).splitlines()[0][:200]})"
    other = _aligned(other, old, new)
    left_out, usable = int((usable & known & seen).sum()), usable & known & ~seen
    weights = _weights(new, rows)
    if weights is not None:
        usable &= weights > 0
        weights = weights[usable]
    n_usable = int(usable.sum())
    if n_usable < MIN_ROWS:
        return f"only {n_usable} of {len(usable)} test rows can be compared; it has seen {left_out} of them"
    task, metric = new.columns.task, CHAMPION_METRICS[new.columns.task]
    truth, given, other = truth[usable], given[usable], other[usable]
    found = [
        compute_metrics(task, truth, scores, n_bootstrap=0, weights=weights) for scores in (given, other)
    ]
    if metric not in found[0]:
        return f"these rows have no {metric}: they are all of one class"
    difference, low, high = paired_difference(task, truth, given, other, metric, seed=seed, weights=weights)
    first, second = (each[metric].value for each in found)
    return ModelComparison(metric, first, second, difference, low, high, n_usable, left_out)


def which_are_seen(model: TrainedModel, rows: Any, valid: np.ndarray) -> np.ndarray:
    """Return which rows are among the model's training and validation rows, (n,) bool; no invalid row is.

    Args:
        model: that knows its rows.
        rows: raw rows: a table, images or their pixels (n, ...).
        valid: (n,) bool, which of them it can read.
    """
    assert model.seen_rows is not None
    found = np.zeros(len(valid), dtype=bool)
    if valid.any():
        inputs = model.preprocessor.inputs(chosen_rows(raw_inputs(model, rows), valid))
        found[valid] = are_seen(hash_rows(inputs), model.seen_rows)
    return found


def _why_not(new: TrainedModel, old: TrainedModel) -> str:
    """Return why two models answer different questions; empty if they answer the same."""
    if new.manifest.refit:
        return "this one was trained anew on all rows, the test rows among them"
    if new.columns.task not in CHAMPION_METRICS or new.columns.task != old.columns.task:
        return f"it solves another task, {old.columns.task}"
    if new.columns.target_names != old.columns.target_names:
        return f"it predicts {', '.join(old.columns.target_names)}"
    if set(new.columns.class_names) != set(old.columns.class_names):
        return f"it knows the classes {', '.join(old.columns.class_names[:10])}"
    before, now = old.columns.image_shape, new.columns.image_shape
    if before and now and channels_of(before) > channels_of(now):
        return "it reads images in color, and these rows are gray"
    return ""


def raw_inputs(model: TrainedModel, rows: Any) -> Any:
    """Return what a model's preprocessor takes of raw rows: a table, images or their pixels (n, ...)."""
    rows = rows.pixels if isinstance(rows, Images) else rows
    if not isinstance(rows, np.ndarray):
        return model.select_inputs(rows)
    # Rows in color are gray to a model of gray images.
    return images_of_arrays(rows, model.preprocessor.image_reading)


def chosen_rows(inputs: Any, chosen: np.ndarray) -> Any:
    """Return the rows of `raw_inputs` where (n,) bool says so."""
    return inputs.iloc[np.flatnonzero(chosen)] if hasattr(inputs, "iloc") else inputs[chosen]


def _scores(model: TrainedModel, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a model's scores (n, k), those of a regression in raw units, and which rows it can read, (n,) bool."""
    inputs = raw_inputs(model, rows)
    valid = model.validate(inputs, strict=False) == ""
    scores = np.zeros((len(valid), model.columns.n_outputs))
    if valid.any():
        scores[valid] = model.scores(chosen_rows(inputs, valid))
    valid &= np.isfinite(scores).all(1)
    if model.columns.target_transform != "none":
        scores = raw_means(scores, model.manifest.smearing, model.columns.transform)
    return scores, valid


def _weights(model: TrainedModel, rows: Any) -> np.ndarray | None:
    """Return how much each row counts, (n,) float64, NaN where nothing says so; None where all count the same."""
    if isinstance(rows, Images) or model.weights_column is None:
        return None
    import pandas as pd

    cells = model.select_inputs(rows)[model.weights_column]
    return pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _targets_and_scores(model: TrainedModel, rows: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a model's targets and scores as `compute_metrics` takes them, and which rows it can be judged on."""
    import pandas as pd

    scores, valid = _scores(model, rows)
    columns = model.columns
    frame = (
        pd.DataFrame({columns.target_names[0]: rows.labels})
        if isinstance(rows, Images)
        else model.select_inputs(rows)
    )
    targets, wrong = parse_targets(frame, columns)
    if columns.target_transform != "none":
        targets = columns.raw_targets(targets)
    return targets, scores, valid & (wrong == "")


def _aligned(scores: np.ndarray, old: TrainedModel, new: TrainedModel) -> np.ndarray:
    """Return the old model's scores in the order of the new one's classes."""
    task, names = new.columns.task, list(old.columns.class_names)
    if task == "binary":
        return scores if old.columns.positive == new.columns.positive else 1 - scores
    return (
        scores[:, [names.index(name) for name in new.columns.class_names]] if task == "multiclass" else scores
    )
