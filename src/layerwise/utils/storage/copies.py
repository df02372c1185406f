"""Copies on this computer of files that are in a store elsewhere."""

from __future__ import annotations

import hashlib
import json
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from layerwise.utils.run_context import project_path
from layerwise.utils.storage.atomic_writes import atomic_write

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


def copy_place(protocol: str, path: Path) -> Path:
    """Return where the copy of a file elsewhere is kept."""
    return project_path().absolute() / "data/remote" / protocol / path


def find_files(system: AbstractFileSystem, path: str) -> dict[str, dict[str, Any]]:
    """Return what the store says of a file, by the name "", or of each file of a folder, by its path in it.

    Raises:
        FileNotFoundError: there is no such file or folder.
    """
    info = system.info(path)
    if info["type"] == "file":
        return {"": info}
    found = system.find(path, detail=True)
    return {
        name: each
        for full, each in found.items()
        if (name := full.removeprefix(path).lstrip("/")) and ".." not in PurePosixPath(name).parts
    }


def update_copy(system: AbstractFileSystem, path: str, target: Path) -> None:
    """Fetch the files that the store has changed since they were copied, and remove those that it no longer has.

    What it says of a file (size, time, hash) is kept beside the copies and tells whether it is still the same.
    """
    found = find_files(system, path)
    now = {name: _stamp(info) for name, info in found.items()}
    index = copy_place("index", Path(hashlib.sha256(str(target).encode()).hexdigest()[:16]))
    index.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(index.with_suffix(".lock")):
        known: dict[str, str] = {}
        with suppress(OSError, ValueError):
            known = json.loads(index.read_text())
        changed = [
            name
            for name, info in found.items()
            if known.get(name) != now[name] or not _is_whole(target / name, info)
        ]
        if changed:
            targets = {f"{path}/{name}" if name else path: target / name for name in changed}
            _fetch(system, targets, index.parent)
        for name in known.keys() - now.keys():
            (target / name).unlink(missing_ok=True)
        if now != known:
            with atomic_write(index) as part:
                part.write_text(json.dumps(now))


def _fetch(system: AbstractFileSystem, targets: dict[str, Path], folder: Path) -> None:
    """Fetch files at once, as many side by side as the store's package does; each takes its name when all are there."""
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        parts = [Path(directory) / str(k) for k in range(len(targets))]
        system.get(list(targets), list(map(str, parts)))
        for part, target in zip(parts, targets.values(), strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)


def _is_whole(path: Path, info: dict[str, Any]) -> bool:
    return path.is_file() and info.get("size") in (None, path.stat().st_size)


def _stamp(info: dict[str, Any]) -> str:
    said = sorted((name, str(value)) for name, value in info.items())
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
