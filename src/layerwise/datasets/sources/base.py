"""What all catalog entries of raw data share: they are only read, and their files are found or downloaded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, NoReturn

from kedro.io import AbstractDataset, DatasetError
from pydantic import ValidationError

from layerwise.data.sources import SourceError, SourceFile, locate, locate_folder
from layerwise.datasets.stored import storage_errors
from layerwise.utils import Location

RowKind = Literal["table", "images", "ratings", "documents"]


def kind_of_entry(entry: Mapping[str, Any]) -> RowKind:
    """Return what kind of rows a catalog entry gives: what its class says as `ROWS`; a table where it says nothing.

    Args:
        entry: as `catalog.yml` has it; pipelines are composed for the kind before anything is loaded.
    """
    module, _, name = str(entry.get("type", "")).rpartition(".")
    if not module or module.startswith("kedro_datasets"):
        return "table"
    try:
        kind: RowKind = getattr(import_module(module), name).ROWS
    except (ImportError, AttributeError):  # the catalog says what is wrong with the entry when it makes it
        return "table"
    return kind


def source_file(values: dict[str, Any]) -> SourceFile:
    """Return a file as an entry describes it.

    Raises:
        DatasetError: it is described wrongly.
    """
    try:
        return SourceFile.model_validate(values)
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise DatasetError(f"A file of this catalog entry is described wrongly: {reasons}") from error


class ReadOnlyDataset(AbstractDataset[Any, Any]):
    """A dataset that nothing can be saved to."""

    ROWS: ClassVar[RowKind] = "table"

    def save(self, data: Any) -> NoReturn:
        """Refuse: raw data is read only."""
        raise DatasetError(
            f"{type(self).__name__} is raw data, which is read only: nothing can be saved to it."
        )


class SourceDataset(ReadOnlyDataset):
    """Raw data in files below a folder.

    Args:
        path: the raw data folder: a path, or an address such as `s3://bucket/raw`.
        credentials: arguments of fsspec's file system, by the name of an entry of `credentials.yml`.
        fs_args: more of them.
        metadata: for plugins; not used here.
    """

    def __init__(
        self,
        *,
        path: str,
        credentials: Mapping[str, Any] | None = None,
        fs_args: Mapping[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        with storage_errors():
            self._folder = Location(path, credentials, fs_args)
            self._folder.check()
        self.metadata = metadata
        self._said: set[str] = set()

    def _say(self, log: logging.Logger, level: int, note: str) -> None:
        """Log what a user may want to know of the files: once, however many steps of a run load them."""
        if note not in self._said:
            self._said.add(note)
            log.log(level, "%s", note)

    def _locate(self, source: SourceFile) -> Path:
        """Return the path of a file on this computer, found or downloaded.

        Raises:
            DatasetError: it is absent, or has other bytes.
        """
        try:
            return locate(source, self._folder)
        except SourceError as error:
            # Kedro puts the entry's name before a DatasetError, and a longer sentence around any other error.
            raise DatasetError(str(error)) from error

    def _locate_folder(self, source: SourceFile) -> Path | None:
        """Return the path of a folder of many files, if it stands there instead of one file."""
        try:
            return locate_folder(source, self._folder)
        except SourceError as error:
            raise DatasetError(str(error)) from error
