"""What all catalog entries that a run writes share: a file or folder here, or in a store that fsspec knows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from kedro.io import AbstractDataset, DatasetError

from layerwise.utils import Location, MissingFileError, StorageError, UserError

T = TypeVar("T")


@contextmanager
def storage_errors() -> Iterator[None]:
    """Have what is wrong with a file elsewhere said as Kedro says what is wrong with data: in one sentence."""
    try:
        yield
    except StorageError as error:
        raise DatasetError(str(error)) from error


class WriteError(UserError, DatasetError):
    """A file of a run cannot be written."""


@contextmanager
def writing_errors(location: Location) -> Iterator[None]:
    """Have a file that cannot be written said in one sentence, of a disk that is full or forbidden with the fix."""
    try:
        yield
    except (DatasetError, UserError):
        raise
    except Exception as error:
        from layerwise.tracking.outbox import disk_fix

        fix, reason = disk_fix(error), " ".join(str(getattr(error, "strerror", "") or error).split())
        if not fix and not isinstance(error, OSError):
            raise
        raise WriteError(f"{location} cannot be written: {f'{fix} ({reason})' if fix else reason}") from error


def local_table(location: Location) -> Path:
    """Return the path of a table's file on this computer, beside it what says how its cells are marked, if any is.

    Raises:
        DatasetError: it cannot be read from where it is.
    """
    from layerwise.data.reading import marks_file

    with storage_errors():
        path = location.local_path()
        with suppress(MissingFileError):
            location.with_name(marks_file(path).name).local_path()
    return path


class StoredDataset(AbstractDataset[T, T]):
    """Data in a file or folder; a class below reads and writes it on this computer, and knows no store.

    Args:
        filepath: of the file or folder: a path, or an address such as `s3://bucket/rows.csv`.
        credentials: arguments of fsspec's file system, by the name of an entry of `credentials.yml`.
        fs_args: more of them.
        metadata: for plugins; not used here.
    """

    # What a folder holds once it is written.
    MARK: ClassVar[str] = ""

    def __init__(
        self,
        *,
        filepath: str,
        credentials: Mapping[str, Any] | None = None,
        fs_args: Mapping[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        with storage_errors():
            self._location = Location(filepath, credentials, fs_args)
            self._location.check()
        self.metadata = metadata

    @abstractmethod
    def _read(self, path: Path) -> T: ...

    @abstractmethod
    def _write(self, data: T, path: Path) -> None: ...

    def load(self) -> T:
        """Return the data.

        Raises:
            DatasetError: they cannot be read.
        """
        return self._read(self._local_path())

    def save(self, data: T) -> None:
        """Write the data; the files appear whole or not at all.

        Raises:
            WriteError: they cannot be written.
        """
        with storage_errors(), self._location.writing() as path, writing_errors(self._location):
            self._write(data, path)

    def _local_path(self) -> Path:
        with storage_errors():
            return self._location.local_path()

    def _exists(self) -> bool:
        with storage_errors():
            return (self._location / self.MARK).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._location)}
