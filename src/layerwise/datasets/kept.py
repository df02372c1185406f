"""What several steps of a run read of one file is read once, until the runner needs it no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kedro_datasets.pandas import ParquetDataset

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class LastRead(Generic[T]):
    """The last thing that was read of a file, which stands for the file as long as that stays the same.

    A process that gets a copy of a catalog entry (ParallelRunner) reads the file itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: tuple[Any, ...] | None = None
        self._found: T | None = None

    def of(self, path: Path, read: Callable[[], T]) -> T:
        """Return what a file holds, by `read` unless it is known."""
        with self._lock:
            found = path.stat()
            # A file is replaced as a whole, by another one with a number of its own.
            file = (path, found.st_ino, found.st_size, found.st_mtime_ns)
            if file != self._file or self._found is None:
                self._file, self._found = None, None
                self._file, self._found = file, read()
            return self._found

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._file, self._found = None, None

    def __reduce__(self) -> tuple[type[LastRead[T]], tuple[()]]:
        return LastRead, ()


class RowsDataset(ParquetDataset):  # type: ignore[misc]
    """A table as Parquet that several steps load: a local file is read once, and each gets a frame of its own.

    Frames share their columns until one writes to them, which then has a copy (pandas' copy-on-write).

    Args:
        filepath: of the file, or its address in a store.
        others: what Kedro's `pandas.ParquetDataset` takes.
    """

    def __init__(self, *, filepath: str, **others: Any) -> None:
        super().__init__(filepath=filepath, **others)
        self._path = Path(filepath)
        self._last: LastRead[pd.DataFrame] = LastRead()

    def load(self) -> pd.DataFrame:
        """Return the rows."""
        if not self._path.is_file():
            return super().load()
        return self._last.of(self._path, super().load).copy(deep=False)

    def release(self) -> None:
        """Keep no rows."""
        self._last.forget()
        super().release()
