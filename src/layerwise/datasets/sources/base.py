"""What all catalog entries of raw data share: they are only read, and their files are found or downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, NoReturn

from kedro.io import AbstractDataset, DatasetError
from pydantic import ValidationError

from layerwise.data.sources import SourceError, SourceFile, locate

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


def locate_file(source: SourceFile, folder: str) -> Path:
    """Return the path of a file, found or downloaded.

    Raises:
        DatasetError: it is absent, or has other bytes.
    """
    try:
        return locate(source, folder)
    except SourceError as error:
        # Kedro puts the entry's name before a DatasetError, and a longer sentence around any other error.
        raise DatasetError(str(error)) from error


class ReadOnlyDataset(AbstractDataset[Any, Any]):
    """A dataset that nothing can be saved to."""

    ROWS: ClassVar[RowKind] = "table"

    def save(self, data: Any) -> NoReturn:
        """Refuse: raw data is read only."""
        raise DatasetError(
            f"{type(self).__name__} is raw data, which is read only: nothing can be saved to it."
        )
