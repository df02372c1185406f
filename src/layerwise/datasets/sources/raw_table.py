"""Catalog entry around any dataset that gives a table: it becomes a pandas DataFrame that says where it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DatasetError

from layerwise.data.sources import sha256_of
from layerwise.datasets.previews import ROWS, TablePreview, table_preview
from layerwise.datasets.sources.base import ReadOnlyDataset, kind_of_entry
from layerwise.utils import project_path

if TYPE_CHECKING:
    import pandas as pd

# What Kedro reads at an entry's own level.
OUTER = ("metadata", "validator")


def with_origin(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the catalog entry `raw` as one whose table says where it comes from: the project's own classes do."""
    name = str(entry.get("type", ""))
    if not name or name.startswith("layerwise.") or kind_of_entry(entry) != "table":
        return dict(entry)
    inner = {key: value for key, value in entry.items() if key not in OUTER}
    outer = {key: entry[key] for key in OUTER if key in entry}
    return {"type": "layerwise.datasets.RawTable", "dataset": inner, **outer}


def entry_like_raw(entries: Mapping[str, Any], given: str, project: Path) -> dict[str, Any]:
    """Return the entry that is named, or one that reads a file as `raw` reads its own.

    Args:
        entries: of the catalog, `raw` among them.
        given: the name of one of them, or a file: its path or address, or its name below the folder of raw data.
        project: the folder that paths start from.

    Raises:
        DatasetError: there is no such entry, and `raw` is no table in a file, whose reading another file could take.
    """
    if given in entries:
        return with_origin(entries[given])
    raw = entries["raw"]
    if raw.get("type") != "layerwise.datasets.SourceTable":
        raise DatasetError(
            f"problem.unlabelled: the catalog has no entry '{given}'; name one that gives rows as raw does, which is a "
            f"{raw.get('type')}"
        )
    # A hash, addresses and the checks of raw's columns, the target among them, are those of raw's own file.
    found = {name: value for name, value in raw.items() if name not in ("file", "validator")}
    if "://" in given:
        folder, _, name = given.rpartition("/")
        return {**found, "path": folder, "file": {"name": name}}
    path = project / given
    if path.is_file():
        return {**found, "path": str(path.parent), "file": {"name": path.name}}
    return {**found, "file": {"name": given}}


class RawTable(ReadOnlyDataset):
    """A table from any Kedro dataset: Parquet, Excel, an SQL query, Polars, Spark.

    An entry `raw` of another class than the project's own is read through this one, without a word in `catalog.yml`.
    The frame's `attrs` hold `source` (the file's path, or the query) and `sha256`: of the file, or of the rows
    themselves where they come from a database or another computer.

    Args:
        dataset: the entry as Kedro takes it.
        metadata: for plugins; not used here.
    """

    def __init__(self, *, dataset: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        self._config = dataset
        self._dataset: AbstractDataset[Any, Any] = AbstractDataset.from_config("raw", dict(dataset))
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises:
            DatasetError: the dataset gives something else, or no rows.
        """
        frame = _as_pandas(self._dataset.load(), str(self._config["type"]))
        if frame.empty:
            raise DatasetError(f"{self._source()} gives {frame.shape[1]} columns but no rows.")
        frame.columns = [str(name) for name in frame.columns]
        frame.attrs.update(source=self._source(), sha256=self._sha256(frame))
        return frame

    def preview(self) -> TablePreview:
        """Return the first rows, for Kedro-Viz."""
        frame = _as_pandas(self._dataset.load(), str(self._config["type"])).head(ROWS)
        return table_preview([str(name) for name in frame], frame.astype(str).to_numpy().tolist())

    def _source(self) -> str:
        """Return the query, table or path; never a connection, which may hold a password."""
        for key in ("sql", "table_name", "filepath", "path", "url"):
            if self._config.get(key):
                return str(self._config[key])
        return str(self._config["type"])

    def _sha256(self, frame: pd.DataFrame) -> str:
        path = Path(str(self._config.get("filepath", "")))
        path = path if path.is_absolute() else project_path() / path
        if self._config.get("filepath") and path.is_file() and "SQL" not in str(self._config["type"]):
            return sha256_of(path)
        import pandas as pd

        digest = hashlib.sha256("\n".join(map(str, frame.columns)).encode())
        try:
            rows = pd.util.hash_pandas_object(frame, index=False)
        except TypeError:  # cells that are lists
            rows = pd.util.hash_pandas_object(frame.astype(str), index=False)
        digest.update(rows.to_numpy().tobytes())
        return digest.hexdigest()

    def _describe(self) -> dict[str, Any]:
        return {"type": self._config["type"], "source": self._source()}


def _as_pandas(data: Any, name: str) -> pd.DataFrame:
    import pandas as pd

    if hasattr(data, "collect") and hasattr(data, "lazy"):  # a LazyFrame of Polars
        data = data.collect()
    for method in ("to_pandas", "toPandas"):
        if hasattr(data, method):
            data = getattr(data, method)()
    if not isinstance(data, pd.DataFrame):
        raise DatasetError(
            f"raw gives {type(data).__name__}, and rows are a DataFrame; {name} is no dataset of one table "
            '(a class of your own that gives images says so: `ROWS = "images"`)'
        )
    # The index of a stored frame is no column; row numbers are.
    return data.reset_index(drop=True)
