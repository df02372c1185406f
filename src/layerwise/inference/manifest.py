"""The manifest of a trained network's folder, which holds data alone, with the hash of every file.

    model.json                      what it is, its threshold and test metrics, and the sha256 of every other file
    network.json, network.safetensors
    preprocessor/preprocessor.json, preprocessor/fitted.skops
    seen_rows.npy                   hashes of the rows that it was trained and validated on

Nothing in it is code and nothing of it is executed. A file that is not in the manifest, or has other bytes, and a link
or a pipe are refused before anything is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from layerwise.data.sources import sha256_of
from layerwise.evaluation.metrics import Smearing
from layerwise.utils import Config, UserError

MANIFEST_FILE = "model.json"
# No manifest is a hundredth of it; what is longer is not read.
MAX_BYTES = 16 * 1024 * 1024
# What MLmodel says of a manifest's hash, below `metadata`.
MLMODEL_SHA256 = "layerwise_sha256"
# Format 1 is the first edition's.
MODEL_FORMAT = 2


class ModelError(UserError, ValueError):
    """There is no such model, or its files are not those that were saved; the message says which."""


class ModelManifest(Config):
    """The manifest of a model: what is known of it beside its weights, and the hashes of its files.

    `smearing` makes means of the outputs of a transformed target (`smearing_factors`). The truth of a new row
    lies within `interval_half_widths` of a regression's outputs, or of the quantiles that a part of the model predicts,
    with the probability `interval_coverage`. `refit` says that it was trained anew on all rows, after the `metrics` of
    another network had been measured, `initial_model` which one it started from, whose rows it has seen too.
    `test_rows_sha256` is the fingerprint of the test rows that `metrics` were computed on; `files` holds the sha256 of
    each file by its path in the folder.
    """

    format: int = MODEL_FORMAT
    # It becomes a part of paths.
    problem: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    pipeline: str = ""
    # In the registry; empty for the problem's own name.
    name: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]*$")
    run_id: str = ""
    layerwise_version: str = ""
    threshold: float = 0.5
    smearing: Smearing = ()
    refit: bool = False
    initial_model: str = ""
    interval_coverage: float = 0.0
    interval_half_widths: tuple[float, ...] = ()
    test_rows_sha256: str = ""
    metrics: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def registered_name(self) -> str:
        """Its name in the registry: the problem's for a supervised network, `<problem>.<kind>` for others."""
        return self.name or self.problem


def verify_model_folder(folder: Path, sha256: str = "") -> tuple[ModelManifest, str]:
    """Compare a model's files with its manifest; return the manifest and its sha256.

    Args:
        folder: of the model.
        sha256: what the manifest's own hash has to be, if that is known.

    Raises:
        ModelError: the manifest is missing, unreadable, of another format or not the one that is known; a file is
            missing, changed, not in it, or none at all, as a link or a pipe.
    """
    text = _read_file(folder / MANIFEST_FILE)
    if text is None:
        raise ModelError(f"{folder} holds no model: there is no {MANIFEST_FILE}")
    found = hashlib.sha256(text).hexdigest()
    if sha256 and found != sha256:
        raise load_error(folder, f"{MANIFEST_FILE} is not the one that was registered")
    manifest = _read_manifest(folder, text)
    there = set(relative_paths(folder))
    named = set(manifest.files)
    wrong = {
        "is not among the model's files": there - named - {MANIFEST_FILE},
        "is missing": named - there,
        "is no plain file": {path for path in there & named if not _is_plain_file(folder / path)},
    }
    if not any(wrong.values()):
        wrong["was changed"] = {path for path in named if sha256_of(folder / path) != manifest.files[path]}
    for what, paths in wrong.items():
        if paths:
            raise load_error(folder, f"{', '.join(map(_printable, sorted(paths)))} {what}")
    return manifest, found


def mlmodel_of(folder: Path) -> Path | None:
    """Return the folder of the MLflow model whose data a model's folder is; None where it stands alone."""
    for parent in folder.absolute().parents[:2]:
        if (parent / "MLmodel").is_file():
            return parent
    return None


def read_mlmodel(folder: Path) -> dict[str, Any]:
    """Return what MLflow's own file of a model says.

    Raises:
        ModelError: there is no such file, or it is not what MLflow writes.
    """
    import yaml

    text = _read_file(folder / "MLmodel")
    if text is None:
        raise ModelError(f"{folder} holds no model: there is neither {MANIFEST_FILE} nor MLmodel")
    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{folder / 'MLmodel'} cannot be read: {reason[:200]}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{folder / 'MLmodel'} cannot be read: it is no mapping")
    return found


def described_sha256(mlmodel: dict[str, Any]) -> str:
    """Return the hash of the manifest that MLflow's own file of a model names; empty in a model of earlier versions."""
    metadata = mlmodel.get("metadata")
    return str(metadata.get(MLMODEL_SHA256, "")) if isinstance(metadata, dict) else ""


def _is_plain_file(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _read_file(path: Path) -> bytes | None:
    """Return a file's bytes, None where there is none; nothing but a plain file is opened."""
    if not os.path.lexists(path):
        return None
    if not _is_plain_file(path):
        raise load_error(path.parent, f"{path.name} is no plain file")
    if path.stat().st_size > MAX_BYTES:
        raise load_error(path.parent, f"{path.name} has more than {MAX_BYTES:,} bytes")
    return path.read_bytes()


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def _read_manifest(folder: Path, text: bytes) -> ModelManifest:
    try:
        values = json.loads(text, parse_float=_finite, parse_constant=_finite, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise load_error(folder, f"{MANIFEST_FILE} cannot be read: {error}") from None
    if isinstance(values, dict):
        saved = values.get("format", MODEL_FORMAT)
        if saved == 1 or "measures" in values:
            pipeline = str(values.get("pipeline") or "dbn")[:60]
            raise ModelError(
                f"the model in {folder} was saved by the first edition of layerwise, and this one cannot read it: "
                f"train it anew with kedro run --pipelines={pipeline}"
            )
        if saved != MODEL_FORMAT:
            raise ModelError(
                f"the model in {folder} has format {saved}; this version of layerwise reads format {MODEL_FORMAT}"
            )
    try:
        return ModelManifest.model_validate(values)
    except ValidationError as error:
        raise load_error(folder, f"{MANIFEST_FILE} cannot be read: {error.errors()[0]['msg']}") from None


def load_error(folder: Path, reason: str) -> ModelError:
    """Return the error of a folder that cannot be trusted or read."""
    return ModelError(
        f"the model in {folder} was not loaded: {reason}. Take the model from its run again; don't use this copy"
    )


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text[:20]} is no finite number")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def relative_paths(folder: Path) -> list[str]:
    """Return the paths within a folder of all that it holds and that is no folder: links and pipes too."""
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted(path.relative_to(folder).as_posix() for path in found)
