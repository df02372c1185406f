"""Checkpoints on disk: everything that a stage of training needs to go on, written whole or not at all.

A run has one folder, each stage in it one of its own, and a checkpoint is a pair of files: tensors as safetensors, the
rest as JSON with the sha256 of both. The JSON takes its name last, so that a pair without it was never finished.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from layerwise.utils import Config, ResumeError, atomic_write, flush_reports, setting

log = logging.getLogger(__name__)


class CheckpointSettings(Config):
    """When a run writes down how far it is. With neither epochs nor minutes it writes nothing."""

    epochs: int | None = setting(
        None, "write a checkpoint after every so many epochs of a stage", "epochs of many minutes", ge=1
    )
    minutes: float | None = setting(
        1.0, "write one at the end of an epoch when so many minutes have passed since the last", "", ge=0
    )
    keep: int = setting(
        2,
        "newest checkpoints of each stage that are kept, beside the best one",
        "1 when the disk is small",
        ge=1,
    )
    runs: int = setting(
        3, "unfinished runs of a problem and pipeline that keep their checkpoints, the newest first", "", ge=1
    )

    @property
    def on(self) -> bool:
        """True when checkpoints are written."""
        return self.epochs is not None or self.minutes is not None


class CorruptCheckpointError(ValueError):
    """A checkpoint's files are not what was written."""


@dataclass(frozen=True)
class Checkpoint:
    """What was read back: tensors on the devices they were on, and metadata."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]


def slug(name: str) -> str:
    """Return the name of the file or folder of what has this name, such as a node."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.") or "stage"


class CheckpointStore:
    """The checkpoints of one run.

    Args:
        folder: of the run, whose id is its name.
        settings: when to write, and how many to keep.
        resume: read what is there; otherwise stages start anew.
        owner: what tells the run from others, such as its id; a checkpoint of another owner is refused.
    """

    def __init__(
        self,
        folder: Path,
        settings: CheckpointSettings,
        resume: bool = False,
        owner: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder, self.settings, self.resume, self.owner = folder, settings, resume, dict(owner)
        self._thread = threading.local()
        self._seen: dict[tuple[str, str], int] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to go on writing in this thread's scope."""
        state = {name: value for name, value in vars(self).items() if name != "_thread"}
        return state | {"scope": self.scope}

    def __setstate__(self, state: dict[str, Any]) -> None:
        scope = state.pop("scope")
        vars(self).update(state, _thread=threading.local())
        self.set_scope(scope)

    @property
    def on(self) -> bool:
        """True when checkpoints are written."""
        return self.settings.on

    @property
    def scope(self) -> str:
        """The name under which the stages that start in this thread are kept; `run` until one is set."""
        return getattr(self._thread, "scope", "run")

    def set_scope(self, scope: str) -> None:
        """Say under which name the stages that start in this thread from now on are kept, such as the node's."""
        self._thread.scope = scope

    def stage(self, name: str) -> StageCheckpoints:
        """Return the stage of that name; the second one of the same name in a scope is another one."""
        scope = slug(self.scope)
        times = self._seen[scope, name] = self._seen.get((scope, name), 0) + 1
        own = slug(name) if times == 1 else f"{slug(name)}_{times}"
        return StageCheckpoints(name, self.folder / scope / own, self.settings, self.resume, self.owner)


class StageCheckpoints:
    """The checkpoints of one stage: a layer's training, the fine-tuning.

    Args:
        name: as messages have it.
        folder: of the files.
        settings: of the run.
        resume: what is there may be read.
        owner: of the run.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        settings: CheckpointSettings,
        resume: bool,
        owner: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.name, self.folder, self.settings, self.resume = name, folder, settings, resume
        self.owner = dict(owner)
        self._written = time.monotonic()
        self._failed = False

    def load(self) -> Checkpoint | None:
        """Return the newest checkpoint whose hashes are right; None when there is none or the run is a new one.

        Raises:
            ResumeError: it is another run's.
        """
        if not self.resume or not self.folder.is_dir():
            return None
        self._sweep()
        for path in self._newest_first():
            try:
                found = _read(path)
            except (CorruptCheckpointError, OSError) as error:
                log.warning("%s: the checkpoint %s is corrupt (%s)", self.name, path, error)
                continue
            owner = found.metadata.get("owner", {})
            if owner != self.owner:
                same_run = owner.get("run") == self.owner.get("run")
                raise ResumeError(
                    f"{self.name}: the checkpoint {path} was written "
                    + (
                        "with other parameters"
                        if same_run
                        else f"by run {owner.get('run', 'of another version')}"
                    )
                    + ", and not by this run: put this run's own files back, or start a new run with resume=false"
                )
            return found
        return None

    def due(self, epoch: int) -> bool:
        """Return whether a checkpoint of the epoch that just ended has to be written."""
        s = self.settings
        if s.epochs is not None and epoch % s.epochs == 0:
            return True
        return s.minutes is not None and time.monotonic() - self._written >= 60 * s.minutes

    def save(
        self, epoch: int, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any], done: bool = False
    ) -> None:
        """Write a checkpoint and remove those that are too many.

        A disk that is full costs the checkpoint and not the training: the log says so once, and the older ones stay.
        """
        # What was reported up to here is with the tracker before the checkpoint says that it need not be done again.
        flush_reports()
        stem = f"epoch_{epoch:06d}" + ("_done" if done else "")
        try:
            _write(
                self.folder / stem, tensors, {**metadata, "owner": self.owner, "epoch": epoch, "done": done}
            )
            self._prune()
        except OSError as error:
            if not self._failed:
                log.warning(
                    "%s: no checkpoint could be written to %s (%s). Training goes on; make room, and the next one is "
                    "written",
                    self.name,
                    self.folder,
                    error.strerror or error,
                )
            self._failed = True
        else:
            self._failed = False
        self._written = time.monotonic()

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("epoch_*.json"), reverse=True)

    def _prune(self) -> None:
        paths = self._newest_first()
        kept = set(paths[: self.settings.keep])
        best = next((path for path in paths if _is_best(path)), None)
        for path in paths:
            if path not in kept and path != best:
                path.unlink(missing_ok=True)
                path.with_suffix(".safetensors").unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what a crash within a write left."""
        named = {path.with_suffix(".safetensors") for path in self._newest_first()}
        for path in [*self.folder.glob(".*.part"), *self.folder.glob("epoch_*.safetensors")]:
            if path not in named:
                path.unlink(missing_ok=True)


def _write(stem: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    devices = {name: str(value.device) for name, value in tensors.items() if value.device.type != "cpu"}
    content = save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})
    text = _text({**metadata, "devices": devices})
    hashes = {
        "tensors": hashlib.sha256(content).hexdigest(),
        "metadata": hashlib.sha256(text.encode()).hexdigest(),
    }
    with atomic_write(stem.with_suffix(".safetensors")) as part:
        part.write_bytes(content)
    with atomic_write(stem.with_suffix(".json")) as part:
        part.write_text(f'{{"sha256": {_text(hashes)},\n"metadata": {text}}}\n')
    _sync_folder(stem.parent)


def _sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk, which they have to be before an older checkpoint goes."""
    if os.name == "posix":  # Windows does not open folders
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path) -> Checkpoint:
    try:
        whole = json.loads(path.read_text())
        hashes, metadata = dict(whole["sha256"]), dict(whole["metadata"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptCheckpointError(f"{path.name} is no JSON of a checkpoint") from error
    if hashlib.sha256(_text(metadata).encode()).hexdigest() != hashes.get("metadata"):
        raise CorruptCheckpointError(f"{path.name} does not have the sha256 that it was written with")
    values = path.with_suffix(".safetensors")
    try:
        content = values.read_bytes()
        if hashlib.sha256(content).hexdigest() != hashes.get("tensors"):
            raise CorruptCheckpointError(f"{values.name} does not have the sha256 that it was written with")
        tensors = load(content)
    except FileNotFoundError:
        raise CorruptCheckpointError(f"{values.name} is missing") from None
    except SafetensorError as error:  # written so, since the hash is right
        raise CorruptCheckpointError(f"{values.name}: {error}") from error
    for name, device in metadata.get("devices", {}).items():
        if device.startswith("cuda") and torch.cuda.is_available():
            tensors[name] = tensors[name].to(device)
    return Checkpoint(tensors, metadata)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, allow_nan=False)


def _is_best(path: Path) -> bool:
    with suppress(ValueError, KeyError, TypeError, OSError):
        metadata = json.loads(path.read_text())["metadata"]
        return bool(metadata["best"]) and metadata["best"]["epoch"] == metadata["epoch"]
    return False
