"""The rows of a run as MLflow data sets: the training, validation and test rows with their digests and their source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from layerwise.data import DataSpec, Split

# MLflow's names of the parts, by which its UI labels them.
CONTEXTS = {"training": "training", "validation": "validation", "test": "testing"}
DIGEST_LENGTH = 16


def fingerprint(data_sha256: str, targets: Sequence[str], rows: Sequence[int]) -> str:
    """Return a hash that identifies a set of rows: of the file's hash, the targets and the rows' positions."""
    text = f"{data_sha256}|{','.join(targets)}|{','.join(map(str, rows))}"
    return hashlib.sha256(text.encode()).hexdigest()


def rows_fingerprint(data_spec: DataSpec, split: Split, part: str) -> str:
    """Return the hash of one part's rows: `training`, `validation` or `test`."""
    rows = getattr(split, part).tolist()
    return fingerprint(data_spec.sha256 or data_spec.source, data_spec.target_names, rows)


def describe_datasets(data_spec: DataSpec, split: Split, name: str) -> list[dict[str, str]]:
    """Return the three parts of the rows as MLflow describes data sets, each as text by field, with its `context`.

    Args:
        data_spec: of the preprocessed rows.
        split: the positions of each part in the raw data.
        name: of the data set: the problem's.
    """
    found = []
    for part, context in CONTEXTS.items():
        # Of a table that stays in files the split is that of a sample, and the data spec counts all rows.
        n_rows = max(len(getattr(split, part)), getattr(data_spec, f"n_{part}"))
        if not n_rows:
            continue
        profile = {"num_rows": n_rows, "num_elements": n_rows * data_spec.n_inputs}
        found.append(
            {
                "name": name,
                "digest": rows_fingerprint(data_spec, split, part)[:DIGEST_LENGTH],
                "source_type": "http" if data_spec.source.startswith(("http://", "https://")) else "local",
                "source": json.dumps(_source(data_spec)),
                "schema": json.dumps(_schema(data_spec)),
                "profile": json.dumps(profile),
                "context": context,
            }
        )
    return found


def _source(data_spec: DataSpec) -> dict[str, str]:
    kind = "url" if data_spec.source.startswith(("http://", "https://")) else "uri"
    return {kind: data_spec.source, "sha256": data_spec.sha256}


def _schema(data_spec: DataSpec) -> dict[str, Any]:
    """Return the columns of a table by name, images and counts as one tensor: MLflow's two kinds of schema."""
    names = data_spec.feature_names
    if data_spec.image_shape is None and 0 < len(names) <= 1000:
        columns: list[Mapping[str, Any]] = [
            {"type": "float", "name": str(each), "required": True} for each in names
        ]
        return {"mlflow_colspec": columns}
    features = [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, data_spec.n_inputs]}}]
    return {"mlflow_tensorspec": {"features": json.dumps(features), "targets": None}}
