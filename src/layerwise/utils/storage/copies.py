"""Copies on this computer of files that are in a store elsewhere."""

from __future__ import annotations

import hashlib
import json
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
    now = {name: _stamp(info) for name, info in find_files(system, path).items()}
    index = copy_place("index", Path(hashlib.sha256(str(target).encode()).hexdigest()[:16]))
    index.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(index.with_suffix(".lock")):
        known: dict[str, str] = {}
        with suppress(OSError, ValueError):
            known = json.loads(index.read_text())
        for name, stamp in now.items():
            if known.get(name) != stamp or not (target / name).is_file():
                with atomic_write(target / name) as part:
                    system.get_file(f"{path}/{name}" if name else path, str(part))
        for name in known.keys() - now.keys():
            (target / name).unlink(missing_ok=True)
        if now != known:
            with atomic_write(index) as part:
                part.write_text(json.dumps(now))


def _stamp(info: dict[str, Any]) -> str:
    said = sorted((name, str(value)) for name, value in info.items())
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
