"""A table in Parquet files that may be larger than the memory: its rows in blocks, as often as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.data.errors import DataError
from layerwise.data.reading.files import (
    FileFormat,
    TextTable,
    contents_of,
    iter_typed_tables,
    typed_faults,
    without_malformed,
)
from layerwise.data.reading.settings import ReadingSettings
from layerwise.data.sources import parquet_parts, sha256_once

if TYPE_CHECKING:
    import pandas as pd

# Rows of a block: some 10 MB of 20 numbers each.
BLOCK_ROWS = 50_000


@dataclass(frozen=True)
class TableBlocks:
    """The rows of a Parquet file, or of a folder of them, in blocks that are DataFrames of cells.

    Nothing is kept between blocks but the one that is being read, and each pass over the rows reads the files anew.

    Args:
        path: the file or folder.
        settings: as `problem.reading` says.
        source: what the table is called; its path without one.
        sha256: of the files, where it is known.
        file_format: how they are read, as JSON.
        block_rows: rows of a block at most.
    """

    path: Path
    settings: ReadingSettings = field(default_factory=ReadingSettings)
    source: str = ""
    sha256: str | None = None
    file_format: str = "null"
    block_rows: int = BLOCK_ROWS

    @cached_property
    def n_rows(self) -> int:
        """The number of rows, from the footers of the files.

        Raises:
            DataError: a file is damaged, or no Parquet file.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return sum(pq.read_metadata(part).num_rows for part in parquet_parts(self.path) or [self.path])
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.path} is damaged, or no Parquet file: {error}") from error

    def attributes(self) -> dict[str, str]:
        """Return what a frame of the rows says of its table; the files are read where their hash is not known."""
        return {
            "source": self.source or str(self.path),
            "sha256": self.sha256 or sha256_once(self.path),
            "file_format": self.file_format,
        }

    def require_parquet(self) -> None:
        """Raise a DataError where the table is no Parquet file, nor a folder of them."""
        if contents_of(self.path) != "parquet":
            raise DataError(
                f"compute.out_of_core reads Parquet, and {self.path} is none: write the table as Parquet, or set "
                "compute.out_of_core: false"
            )

    def blocks(self, notes: list[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows in their order, without totals of others.

        Args:
            notes: gets a sentence for each kind of rows that a block leaves out.

        Raises:
            DataError: a file is damaged, has other columns than the first one, or is no Parquet file.
        """
        self.require_parquet()
        file_format = FileFormat(contents="parquet")
        for cells, numbers in iter_typed_tables(self.path, "parquet", file_format, self.block_rows):
            table = TextTable(cells, numbers, [], typed_faults(cells), file_format, str(self.path))
            table, left_out = without_malformed(table, self.settings)
            if notes is not None:
                notes += left_out
            frame = table.cells.copy(deep=False)
            for name, column in table.cells.items():
                if column.dtype == "O":
                    frame[name] = column.mask(column == "", None)
            if len(frame):
                yield frame
