"""Stores that are not this computer's file system, for tests of what is read from and written to them."""

import fsspec

from layerwise.utils import run_context


def empty_memory_store(tmp_path, monkeypatch):
    """Return fsspec's `memory://` without files, for a project in `tmp_path`, which has the copies of them."""
    monkeypatch.setattr(run_context._context, "project", tmp_path)
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    return system
