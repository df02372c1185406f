"""A trained network as a folder of data: weights, JSON and a skops file, and one list of their hashes.

    model.json                      what it is, its threshold and test measures, and the sha256 of every other file
    network.json, network.safetensors
    preparation/preparation.json, preparation/fitted.skops

Nothing in it is code and nothing of it is executed. A file that is not in the list, or has other bytes, is refused
before anything is read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import Field, ValidationError

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.preprocessor import load_preparation, save_preparation
from layerwise.data.preprocessing.targets import derived
from layerwise.data.reading.chunks import pixels_of, typed_alike
from layerwise.data.reading.row_validation import refuse_pictures, refuse_rows
from layerwise.data.sources.files import sha256_of
from layerwise.data.tensors import Description
from layerwise.models.io import load_network, save_network
from layerwise.training.supervised.losses import probabilities
from layerwise.utils.config import Config
from layerwise.utils.errors import UserError
from layerwise.utils.files import whole_file

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

LIST = "model.json"
AT_A_TIME = 8192
SUPERVISED = ("mlp",)


class ModelError(UserError, ValueError):
    """There is no such model, or its files are not those that were saved; the message says which."""


class Facts(Config):
    """What is known of a model beside its weights.

    `test_rows` is the fingerprint of the test rows that `measures` were taken on; `files` holds the sha256 of each
    file by its place in the folder.
    """

    format: int = 1
    # It becomes a part of paths.
    problem: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    pipeline: str = ""
    run: str = ""
    layerwise: str = ""
    threshold: float = 0.5
    test_rows: str = ""
    measures: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)


@dataclass
class Trained:
    """A network that answers raw rows.

    Args:
        network: in evaluation mode.
        preparation: fitted on its training rows.
        facts: what else is known of it.
        sha256: of `model.json`, and so of the whole folder.
    """

    network: nn.Module
    preparation: Any
    facts: Facts
    sha256: str = ""
    columns: Description = field(init=False)

    def __post_init__(self) -> None:
        self.columns = self.preparation.description

    @property
    def pictures(self) -> bool:
        """Whether it reads grey pictures rather than a table's rows."""
        return self.columns.image_shape is not None

    def refuse(self, rows: Any, strict: bool = True) -> np.ndarray:
        """Return the reason against each row, (n,) text; empty for a row that can be answered."""
        if self.pictures:
            return refuse_pictures(rows)
        return refuse_rows(rows, self.preparation, strict)

    def scores(self, rows: Any) -> np.ndarray:
        """Return probabilities, or values in the units of the (transformed) target, (n, n_outputs)."""
        inputs = torch.from_numpy(np.ascontiguousarray(self.preparation.inputs(rows)))
        with torch.no_grad():
            outputs = [self.network(part) for part in inputs.split(AT_A_TIME)]
        if not outputs:
            return np.zeros((0, self.columns.n_outputs), np.float32)
        return self.columns.unscaled(probabilities(self.columns.task, torch.cat(outputs))).numpy()

    def answers(self, scores: np.ndarray) -> pd.DataFrame:
        """Return what scores mean.

        Returns:
            `prediction` in the target's own terms; for classes `probability_<class>`; for two classes the
            `threshold` from which the second one is predicted. Several targets: a column for each.
        """
        import pandas as pd

        columns = self.columns
        if columns.task == "regression":
            values = np.expm1(scores) if columns.target_transform == "log1p" else scores
            names = ["prediction"] if len(columns.target_names) == 1 else list(columns.target_names)
            return pd.DataFrame(values, columns=names)
        if columns.task == "multilabel":
            said = {f"prediction_{n}": (scores[:, k] >= 0.5) * 1 for k, n in enumerate(columns.target_names)}
            given = {f"probability_{name}": scores[:, k] for k, name in enumerate(columns.target_names)}
            return pd.DataFrame(said | given)
        binary = columns.task == "binary"
        if binary:
            codes = (scores[:, 0] >= self.facts.threshold).astype(int)
            scores = np.column_stack([1 - scores[:, 0], scores[:, 0]])
        else:
            codes = scores.argmax(1)
        found = pd.DataFrame(scores, columns=[f"probability_{name}" for name in columns.class_names])
        found.insert(0, "prediction", np.asarray(columns.class_names, dtype=object)[codes])
        if binary:
            found["threshold"] = self.facts.threshold
        return found

    def rows_of(self, frame: pd.DataFrame) -> Any:
        """Return what the preparation takes of a table: its columns typed alike, or the pixels (n, d)."""
        if self.pictures:
            return pixels_of(frame, self.columns)
        try:
            frame = derived(frame, self.preparation.problem)
        except KeyError as error:
            raise DataError(f"missing input column(s): {error}") from None
        return typed_alike(frame, self.preparation)

    def predict(self, frame: pd.DataFrame, strict: bool = True) -> pd.DataFrame:
        """Return the answers to raw rows.

        Raises:
            DataError: a row cannot be answered; the message names the first of them with their reasons.
        """
        rows = self.rows_of(frame)
        reasons = self.refuse(rows, strict)
        bad = np.flatnonzero(reasons != "")
        if len(bad):
            shown = "; ".join(f"row {k}: {reasons[k]}" for k in bad[:5])
            more = f"; and {len(bad) - 5} more" if len(bad) > 5 else ""
            raise DataError(f"{len(bad)} of {len(reasons)} row(s) cannot be predicted: {shown}{more}")
        scores = self.scores(rows)
        if not np.isfinite(scores).all():
            raise DataError("the network's answer is not a finite number: values too far from training")
        return self.answers(scores)


def save_trained(folder: str | Path, network: nn.Module, preparation: Any, facts: Facts) -> str:
    """Write a model's folder, its list last; return the list's sha256."""
    folder = Path(folder)
    (folder / LIST).unlink(missing_ok=True)
    save_network(network, folder)
    save_preparation(preparation, folder / "preparation")
    files = {place: sha256_of(folder / place) for place in _places(folder)}
    text = facts.model_copy(update={"files": files}).model_dump_json(indent=1)
    with whole_file(folder / LIST) as part:
        part.write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def load_trained(folder: str | Path, sha256: str = "") -> Trained:
    """Read a model that `save_trained` wrote, after its files were compared with their list.

    Args:
        folder: where it lies.
        sha256: what the list's own hash has to be, if that is known.

    Raises:
        ModelError: no model, a network of another kind, or files that are not those that were saved.
    """
    folder = Path(folder)
    facts, found = check_folder(folder, sha256)
    try:
        shape = json.loads((folder / "network.json").read_text())
        if shape.get("kind") not in SUPERVISED:
            raise ModelError(
                f"{folder} holds a network of the kind '{shape.get('kind')}'; predictions come from supervised "
                "networks: those of the pipelines dbn, mlp, sae and forest_fires_classic"
            )
        network, preparation = load_network(folder), load_preparation(folder / "preparation")
    except (OSError, DataError, ValueError, KeyError, TypeError, RuntimeError, MemoryError) as error:
        raise error if isinstance(error, ModelError) else _refused(folder, str(error)) from error
    return Trained(network, preparation, facts, found)


def check_folder(folder: Path, sha256: str = "") -> tuple[Facts, str]:
    """Compare a model's files with their list; return what the list says, and its sha256.

    Raises:
        ModelError: the list is missing or unreadable, or a file is missing, changed or not in it.
    """
    if not (folder / LIST).is_file():
        raise ModelError(f"{folder} holds no model: there is no {LIST}")
    text = (folder / LIST).read_bytes()
    found = hashlib.sha256(text).hexdigest()
    if sha256 and found != sha256:
        raise _refused(folder, f"{LIST} is not the one that was registered")
    try:
        facts = Facts.model_validate_json(text)
    except ValidationError as error:
        raise _refused(folder, f"{LIST} cannot be read: {error.errors()[0]['msg']}") from None
    if facts.format != 1:
        raise ModelError(f"{folder} has format {facts.format}; this version of layerwise reads format 1")
    there = set(_places(folder))
    for what, places in (
        ("is not among the model's files", there - set(facts.files) - {LIST}),
        ("is missing", set(facts.files) - there),
        ("was changed", {n for n in there & set(facts.files) if sha256_of(folder / n) != facts.files[n]}),
    ):
        if places:
            raise _refused(folder, f"{', '.join(sorted(places))} {what}")
    return facts, found


def _refused(folder: Path, reason: str) -> ModelError:
    return ModelError(
        f"the model in {folder} was not loaded: {reason}. Take the model from its run again; don't use this copy"
    )


def _places(folder: Path) -> list[str]:
    found = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir()]
    return [path.relative_to(folder).as_posix() for path in found]
