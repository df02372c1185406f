"""What a network's scores say in the terms of the target, by the names of the answer's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layerwise.data import DataSpec
from layerwise.evaluation.metrics import ConformalIntervals, raw_means, reaches_threshold
from layerwise.inference.manifest import ModelManifest

if TYPE_CHECKING:
    import pandas as pd


def name_scores(
    columns: DataSpec, manifest: ModelManifest, scores: np.ndarray, quantiles: np.ndarray | None = None
) -> pd.DataFrame:
    """Return the predictions that scores stand for, as `TrainedModel.interpret_scores` says.

    Args:
        columns: what the model predicts.
        manifest: of the model.
        scores: (n, n_outputs).
        quantiles: (n, 2 n_outputs) that its intervals are around, where it has some.
    """
    import pandas as pd

    if columns.task == "regression":
        return _name_values(columns, manifest, scores, quantiles)
    if columns.task == "multilabel":
        said = {
            f"prediction_{n}": reaches_threshold(scores[:, k]) * 1 for k, n in enumerate(columns.target_names)
        }
        given = {f"probability_{name}": scores[:, k] for k, name in enumerate(columns.target_names)}
        return pd.DataFrame(said | given)
    binary = columns.task == "binary"
    if binary:
        codes = reaches_threshold(scores[:, 0], manifest.threshold).astype(int)
        scores = np.column_stack([1 - scores[:, 0], scores[:, 0]])
    else:
        codes = scores.argmax(1)
    found = pd.DataFrame(scores, columns=[f"probability_{name}" for name in columns.class_names])
    found.insert(0, "prediction", np.asarray(columns.class_names, dtype=object)[codes])
    if binary:
        found["positive"] = columns.positive
        found["threshold"] = manifest.threshold
    return found


def _name_values(
    columns: DataSpec, manifest: ModelManifest, scores: np.ndarray, quantiles: np.ndarray | None
) -> pd.DataFrame:
    import pandas as pd

    names = ["prediction"] if len(columns.target_names) == 1 else list(columns.target_names)
    found = pd.DataFrame(columns.raw_targets(scores), columns=names)
    if columns.target_transform != "none":
        means = raw_means(scores, manifest.smearing, columns.transform).astype(scores.dtype)
        for k, name in enumerate(names if manifest.smearing else ()):
            found[f"{name}_mean"] = means[:, k]
    if manifest.interval_half_widths:
        intervals = ConformalIntervals(
            coverage=manifest.interval_coverage, half_widths=manifest.interval_half_widths
        )
        ends = [columns.raw_targets(each) for each in intervals.ends(scores, quantiles)]
        for k, name in enumerate(names):
            for side, end in zip(("low", "high"), ends, strict=True):
                found[f"{name}_{side}"] = end[:, k]
    return found
