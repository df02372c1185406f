"""Find anomalies: how unusual each row is, and which of its columns are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.evaluation.unsupervised import error_columns, make_scorer, occluded_rows
from layerwise.inference.tasks.base import Task, register_task
from layerwise.models import goes_both_ways
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from layerwise.inference.model import TrainedModel

# Columns that are named as those that make a row unusual.
NAMED_COLUMNS = 3


@register_task
class Anomaly(Task):
    """Return each row's score, its quantile among validation rows, whether it is anomalous, and what makes it so.

    `anomaly_quantile` is the fraction of validation rows with a lower score; `is_anomaly` says that it is above
    1 - `contamination`; `anomaly_probability` is there if anomalies were known. `unusual_columns` names the raw columns
    that add most to an anomalous row's score, with how much it falls when the column alone has its typical value;
    images have none. `error_<column>` is the squared error of a column's reconstruction.
    """

    name = "anomaly"
    order = 20
    uses = ("contamination", "error_columns")

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network has a score, and what it is compared with is known."""
        return model.reads_rows and model.parts.reference is not None and goes_both_ways(model.network)

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the answer's columns."""
        named = [] if model.has_image_inputs else ["unusual_columns"]
        errors = [f"error_{name}" for name in error_columns(model.columns)] if settings.error_columns else []
        reference = model.parts.reference
        known = ["anomaly_probability"] if reference is not None and reference.probability is not None else []
        return ["anomaly_score", "anomaly_quantile", "is_anomaly", *known, *named, *errors]

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the answer."""
        import pandas as pd

        reference = model.parts.reference
        assert reference is not None
        inputs = model.inputs(rows)
        scores, errors = score_columns(model, inputs)
        is_anomaly = scores > reference.threshold(settings.contamination)
        steps = np.linspace(0, 1, len(reference.score_quantiles))
        answer: dict[str, Any] = {
            "anomaly_score": scores,
            "anomaly_quantile": np.interp(scores, reference.score_quantiles, steps),
            "is_anomaly": is_anomaly,
        }
        if reference.probability is not None:
            answer["anomaly_probability"] = reference.probability(scores)
        if not model.has_image_inputs:
            texts = np.full(len(scores), "", dtype=object)
            if is_anomaly.any():
                found = attribute_scores(model, inputs[is_anomaly], scores[is_anomaly])
                texts[is_anomaly] = _unusual_columns(found.to_numpy(np.float64), found.columns.tolist())
            answer["unusual_columns"] = list(texts)
        if settings.error_columns:
            answer |= {f"error_{name}": errors[name].to_numpy() for name in errors}
        return pd.DataFrame(answer)


def score_columns(model: TrainedModel, inputs: Tensor) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the anomaly scores (n,) of rows as the network reads them, and their errors by column (n, columns)."""
    import pandas as pd

    found = _scores_and_errors(model, inputs)
    return found[:, 0], pd.DataFrame(found[:, 1:], columns=error_columns(model.columns))


def attribute_scores(model: TrainedModel, inputs: Tensor, scores: np.ndarray | None = None) -> pd.DataFrame:
    """Return what each raw column of a table adds to the anomaly scores of rows as the network reads them.

    Args:
        model: of a table.
        inputs: (n, d).
        scores: (n,) of them, where they are known already.

    Returns:
        (n, columns), in the units of the score: by how much it falls when the column alone has its typical value.
    """
    import pandas as pd

    names = error_columns(model.columns)
    given = _scores_and_errors(model, inputs)[:, 0] if scores is None else scores
    falls = np.zeros((len(inputs), len(names)), np.float32)
    for changed, *places in occluded_rows(inputs, model.columns, model.typical_row):
        of_row, of_column = (each.numpy() for each in places)
        falls[of_row, of_column] = given[of_row] - _scores_and_errors(model, changed)[:, 0]
    return pd.DataFrame(falls, columns=names)


def _scores_and_errors(model: TrainedModel, inputs: Tensor) -> np.ndarray:
    """Return what `make_scorer`'s function gives for rows (n, d), (n, 1 + columns)."""
    reference = model.parts.reference
    assert reference is not None
    density = reference.density
    score = model.in_blocks("anomaly", lambda: make_scorer(model.network, model.columns, density))
    return score(inputs).numpy()


def _unusual_columns(contributions: np.ndarray, names: list[str]) -> list[str]:
    """Return a text for each row: the columns that add most to its score, with how much."""
    n = min(NAMED_COLUMNS, len(names))
    worst = np.argpartition(-contributions, n - 1, axis=1)[:, :n]
    values = np.take_along_axis(contributions, worst, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    worst, values = np.take_along_axis(worst, order, 1), np.take_along_axis(values, order, 1).clip(min=0)
    # Two digits have few different texts, which are made once.
    with np.errstate(divide="ignore"):
        size = 10.0 ** (np.floor(np.log10(values, where=values > 0, out=np.zeros_like(values))) - 1)
    rounded, which = np.unique(np.round(values / size) * size, return_inverse=True)
    texts = np.array([f" {value:.2g}" for value in rounded], dtype=object)[which.reshape(values.shape)]
    parts = np.asarray(names, dtype=object)[worst] + texts
    found = np.where(values[:, 0] > 0, parts[:, 0], "")
    for k in range(1, n):
        found = np.where(values[:, k] > 0, found + ("; " + parts[:, k]), found)
    return list(found)
