"""The manifest of a trained network's folder, which holds data alone, with the hash of every file.

    model.json                      what it is, its threshold and test metrics, and the sha256 of every other file
    network.json, network.safetensors
    preprocessor/preprocessor.json, preprocessor/fitted.skops
    seen_rows.npy                   hashes of the rows that it was trained and validated on

Nothing in it is code and nothing of it is executed. A file that is not in the manifest, or has other bytes, is
refused before anything is read.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from layerwise.data.sources import sha256_of
from layerwise.evaluation.metrics import Smearing
from layerwise.utils import Config, UserError

MANIFEST_FILE = "model.json"
# Format 1 is the first edition's.
MODEL_FORMAT = 2


class ModelError(UserError, ValueError):
    """There is no such model, or its files are not those that were saved; the message says which."""


class ModelManifest(Config):
    """The manifest of a model: what is known of it beside its weights, and the hashes of its files.

    `smearing` makes means of the outputs of a transformed target (`smearing_factors`). The truth of a new row
    lies within `interval_half_widths` of a regression's outputs with the probability `interval_coverage`. `refit` says
    that it was trained anew on all rows, after the `metrics` of another network had been measured. `test_rows_sha256`
    is the fingerprint of the test rows that `metrics` were computed on; `files` holds the sha256 of each file by its
    path in the folder.
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

    Raises:
        ModelError: the manifest is missing, unreadable or of another format; a file is missing, changed or not in it.
    """
    if not (folder / MANIFEST_FILE).is_file():
        raise ModelError(f"{folder} holds no model: there is no {MANIFEST_FILE}")
    text = (folder / MANIFEST_FILE).read_bytes()
    found = hashlib.sha256(text).hexdigest()
    if sha256 and found != sha256:
        raise load_error(folder, f"{MANIFEST_FILE} is not the one that was registered")
    manifest = _read_manifest(folder, text)
    there = set(relative_paths(folder))
    for what, paths in (
        ("is not among the model's files", there - set(manifest.files) - {MANIFEST_FILE}),
        ("is missing", set(manifest.files) - there),
        (
            "was changed",
            {n for n in there & set(manifest.files) if sha256_of(folder / n) != manifest.files[n]},
        ),
    ):
        if paths:
            raise load_error(folder, f"{', '.join(sorted(paths))} {what}")
    return manifest, found


def _read_manifest(folder: Path, text: bytes) -> ModelManifest:
    try:
        values = json.loads(text)
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


def relative_paths(folder: Path) -> list[str]:
    """Return the paths of a folder's files within it, links among them."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir()]
    return [path.relative_to(folder).as_posix() for path in found]
