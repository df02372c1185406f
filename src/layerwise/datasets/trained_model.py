"""Catalog entries for a trained model, the rows that it predicts, and its predictions."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from kedro.io import AbstractDataset, DatasetError

from layerwise.datasets.previews import COLUMNS, ROWS, TablePreview, table_preview
from layerwise.datasets.stored import StoredDataset, local_table, storage_errors, writing_errors
from layerwise.utils import Location, atomic_write, problem, project_path

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from layerwise.data.reading import ChunkedReader
    from layerwise.inference import TrainedModel


log = logging.getLogger(__name__)


class Answers(Protocol):
    """What a model answers: the pieces of a CSV file, or tables of one schema."""

    # Keys, and rows that are generated, whose texts stay as they are: `layerwise.data.reading.write_marked`.
    exempt_columns: Collection[str]

    def __iter__(self) -> Iterator[str]: ...

    def tables(self) -> Iterator[pa.Table]:
        """Yield the answers as Arrow tables."""
        ...


def _write_parquet(tables: Iterator[pa.Table], path: Path) -> None:
    import pyarrow.parquet as pq

    first = next(tables)
    with pq.ParquetWriter(path, first.schema) as file:
        for table in chain([first], tables):
            file.write_table(table)


class TrainedModelDataset(AbstractDataset["TrainedModel", "TrainedModel"]):
    """A trained model by its run, its name in the registry, or its folder. It is only read.

    Args:
        model: what `layerwise.tracking.logged_models.model_lookup.find_model` takes.
        pipeline: the pipeline whose parameter this is.
        metadata: for plugins; not used here.
    """

    def __init__(self, *, model: str | None, pipeline: str, metadata: dict[str, Any] | None = None) -> None:
        self._model, self._pipeline = model, pipeline
        self.metadata = metadata

    def load(self) -> TrainedModel:
        """Return the model, after its files were compared with their hashes."""
        from layerwise.inference import load_trained_model
        from layerwise.tracking import find_model, tracking_uri

        if not self._model:
            raise DatasetError(
                f"{self._pipeline}.model is not set: add --params={self._pipeline}.model={problem()}@champion, or "
                "another name@alias, a run's id or a folder"
            )
        found = find_model(self._model, tracking_uri(project_path()))
        return load_trained_model(found.folder, found.sha256)

    def save(self, data: TrainedModel) -> NoReturn:
        """Refuse."""
        raise DatasetError("a trained model is only read here")

    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}


class ChunkedReaderDataset(AbstractDataset["ChunkedReader", "ChunkedReader"]):
    """The rows of a file, read in chunks. They are only read.

    Args:
        file: its path.
        pipeline: the pipeline whose parameter this is.
        chunk_rows: rows of a chunk.
        labels: a file with the labels of images.
        metadata: for plugins; not used here.
    """

    def __init__(
        self,
        *,
        file: str | None,
        pipeline: str,
        chunk_rows: int | None = None,
        labels: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._file, self._pipeline, self._labels = file, pipeline, labels
        self._chunk_rows = chunk_rows or 20_000
        self.metadata = metadata

    def load(self) -> ChunkedReader:
        """Return the rows; nothing but the file's presence is looked at yet."""
        from layerwise.data.reading import ChunkedReader

        if not self._file:
            raise DatasetError(
                f"{self._pipeline}.input is not set: add --params={self._pipeline}.input=rows.csv"
            )
        with storage_errors():
            labels = Location(self._labels).local_path() if self._labels else None
            return ChunkedReader(local_table(Location(self._file)), self._chunk_rows, labels)

    def save(self, data: ChunkedReader) -> NoReturn:
        """Refuse."""
        raise DatasetError("the rows to predict are only read here")

    def _describe(self) -> dict[str, Any]:
        return {"file": self._file}


class EntryRowsDataset(AbstractDataset["ChunkedReader", "ChunkedReader"]):
    """The rows of another catalog entry, where `predict.input` or `evaluate.input` names one. They are only read.

    Args:
        name: of the entry.
        dataset: the entry as Kedro takes it.
        chunk_rows: rows of a chunk.
        metadata: for plugins; not used here.
    """

    def __init__(
        self,
        *,
        name: str,
        dataset: dict[str, Any],
        chunk_rows: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._name, self._chunk_rows = name, chunk_rows or 20_000
        inner = {key: value for key, value in dataset.items() if key not in ("metadata", "validator")}
        self._dataset: AbstractDataset[Any, Any] = AbstractDataset.from_config(name, inner)
        self.metadata = metadata

    def load(self) -> ChunkedReader:
        """Return the rows: of a file of a table in chunks, as they stand in it, else as the entry loads them.

        Raises:
            DataError: the entry gives neither a table nor images.
        """
        from layerwise.data.reading import ChunkedReader, LoadedRows
        from layerwise.datasets.sources import SourceTable

        if isinstance(self._dataset, SourceTable):
            return ChunkedReader(self._dataset.locate(), self._chunk_rows)
        return LoadedRows(self._dataset.load(), self._name, self._chunk_rows)

    def save(self, data: ChunkedReader) -> NoReturn:
        """Refuse."""
        raise DatasetError("the rows to predict are only read here")

    def _describe(self) -> dict[str, Any]:
        return {"entry": self._name}


class TableDataset(StoredDataset["pd.DataFrame"]):
    """A table as a CSV file whose text no spreadsheet takes for a formula (`layerwise.data.reading.write_marked`).

    Args:
        float_format: of numbers, as pandas takes it.
        stored: what `StoredDataset` takes.
    """

    def __init__(self, *, float_format: str | None = None, **stored: Any) -> None:
        super().__init__(**stored)
        self._float_format = float_format

    def _local_path(self) -> Path:
        return local_table(self._location)

    def _read(self, path: Path) -> pd.DataFrame:
        from layerwise.data.reading import read_marked

        return read_marked(path)

    def _write(self, data: pd.DataFrame, path: Path) -> None:
        from layerwise.data.reading import write_marked

        if self._float_format:
            # As pandas writes them, in a fifth of its time.
            data = data.copy()
            for k, kind in enumerate(data.dtypes):
                if kind.kind == "f":
                    data.isetitem(k, _texts(data.iloc[:, k], self._float_format))
        write_marked(path, [data.to_csv(index=False)])

    def preview(self) -> TablePreview:
        """Return the first rows."""
        shown = self.load().iloc[:ROWS, :COLUMNS]
        return table_preview(list(map(str, shown)), shown.astype(object).to_numpy().tolist())


def _texts(column: pd.Series, float_format: str) -> list[str]:
    """Return a column's numbers as text, nothing where there is none."""
    return ["" if value != value else float_format % value for value in column.tolist()]


class PredictionsDataset(AbstractDataset["Answers", "pd.DataFrame"]):
    """A CSV file, or Parquet where its name ends so; it is written piece by piece, and takes its name when it is whole.

    Args:
        file: its path; None for `data/07_model_output/<problem>/predict/<input>_<code>_predictions.csv`, whose code is
            made of the input's whole path: inputs of one name don't write over each other's predictions.
        input_path: the path of the rows, which names the default and is never written over.
        metadata: for plugins; not used here.
    """

    def __init__(
        self, *, file: str | None, input_path: str | None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._file, self._input_path = file, input_path
        self.metadata = metadata
        if file:
            with storage_errors():
                Location(file).check()

    @property
    def location(self) -> Location:
        """Where the predictions go."""
        if self._file:
            return Location(self._file)
        folder = project_path() / f"data/07_model_output/{problem()}/predict"
        if not self._input_path:
            return Location(folder / "samples.csv")
        given = Location(self._input_path)
        stem = given.name.removesuffix(".gz").rsplit(".", 1)[0]
        code = hashlib.sha256(given.identity.encode()).hexdigest()[:6]
        return Location(folder / f"{stem}_{code}_predictions.csv")

    def load(self) -> pd.DataFrame:
        """Return the table."""
        import pandas as pd

        from layerwise.data.reading import read_marked

        path = local_table(self.location)
        return pd.read_parquet(path) if path.suffix == ".parquet" else read_marked(path)

    def save(self, data: Answers) -> None:
        """Write the pieces; the file appears whole or not at all."""
        with storage_errors():
            location = self.location
            if self._input_path and location.identity == Location(self._input_path).identity:
                raise DatasetError(f"{location} holds the rows themselves; name another predict.output")
            with location.writing() as path, writing_errors(location):
                self._write(data, path)
        log.info("The predictions are in %s", location)

    def _write(self, data: Answers, path: Path) -> None:
        from layerwise.data.reading import write_marked

        if path.suffix == ".parquet":
            with atomic_write(path) as part:
                _write_parquet(data.tables(), part)
        else:
            write_marked(path, data, data.exempt_columns)

    def _exists(self) -> bool:
        return self.location.exists()

    def _describe(self) -> dict[str, Any]:
        return {"file": str(self._file or self.location)}
