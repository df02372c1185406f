"""A file or folder here, or in a store that fsspec knows: `s3://bucket/rows.csv`, `gs://...`, `memory://...`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from layerwise.utils.errors import UserError
from layerwise.utils.secrets import add_secrets, mask_secrets
from layerwise.utils.storage.copies import copy_place, find_files, update_copy

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}


class StorageError(UserError, OSError):
    """A file elsewhere cannot be read or written."""


class MissingFileError(StorageError, FileNotFoundError):
    """There is no such file elsewhere."""


class Location:
    """Where a file or folder is.

    A path of this computer, with or without `file://`, is used as it is. Of what is elsewhere a copy is kept in
    `data/remote`, and renewed when the store says that the file is another one.

    Args:
        address: a path, or an address that fsspec knows.
        credentials: arguments of fsspec's file system, as Kedro hands them over; without them it takes its own
            variables (`AWS_ACCESS_KEY_ID`, ...).
        fs_args: others, such as `client_kwargs`.
    """

    def __init__(
        self,
        address: str | Path,
        credentials: Mapping[str, Any] | None = None,
        fs_args: Mapping[str, Any] | None = None,
    ) -> None:
        self._address, self._arguments = str(address), {**(fs_args or {}), **(credentials or {})}
        self.protocol, mark, rest = self._address.partition("://")
        if not mark or self.protocol in ("file", "local"):
            self.protocol = "file"
            self._path = Path(rest if mark else self._address).expanduser()
            return
        add_secrets(credentials or {})
        host, slash, below = rest.partition("/")
        self._path = Path((host.rpartition("@")[2] + slash + below).lstrip("/"))

    def check(self) -> None:
        """Make sure that there is a package for the store; it is not asked for anything yet.

        Raises:
            StorageError: there is none, or it does not take the credentials.
        """
        if self.is_remote:
            with self._file_system("used"):
                pass

    @property
    def is_remote(self) -> bool:
        """Whether it is in a store rather than on this computer."""
        return self.protocol != "file"

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self._path.name

    @property
    def identity(self) -> str:
        """What two ways to write one path have in common: the address, or the path without links and dots."""
        return self._address.rstrip("/") if self.is_remote else str(self._path.resolve())

    def __str__(self) -> str:
        return mask_secrets(self._address) if self.is_remote else str(self._path)

    def __truediv__(self, name: str) -> Location:
        """Return what lies below; an empty name is the place itself."""
        child = Location(self._address.rstrip("/") + "/" + name if name else self._address)
        child._arguments = self._arguments
        return child

    def with_name(self, name: str) -> Location:
        """Return what lies beside it."""
        sibling = Location(self._address.rstrip("/").removesuffix(self.name) + name)
        sibling._arguments = self._arguments
        return sibling

    def exists(self) -> bool:
        """Return whether there is such a file or folder.

        Raises:
            StorageError: the store does not say.
        """
        if not self.is_remote:
            return self._path.exists()
        try:
            with self._file_system("read") as (system, path):
                system.info(path)
        except MissingFileError:
            return False
        return True

    def local_path(self) -> Path:
        """Return the path of the file or folder on this computer, of one elsewhere that of its copy, which is renewed.

        Raises:
            MissingFileError: there is none elsewhere; a path of this computer is not looked at.
            StorageError: it cannot be read.
        """
        if not self.is_remote:
            return self._path
        if ".." in self._path.parts:  # its copy would lie outside of the folder of copies
            raise StorageError(f"{self} cannot be read: an address has no ..")
        target = copy_place(self.protocol, self._path)
        with self._file_system("read") as (system, path):
            update_copy(system, path, target)
        return target

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Yield a path of this computer to write the file or folder to; elsewhere it is when the block ends well.

        What the block writes beside it goes there too, and what a folder no longer holds is removed.

        Raises:
            StorageError: it cannot be written.
        """
        if not self.is_remote:
            yield self._path
            return
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory)
            yield folder / self.name
            written = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
            with self._file_system("written") as (system, path):
                above = path.removesuffix(self.name)
                for name in written:
                    system.put_file(str(folder / name), above + name.as_posix())
                if (folder / self.name).is_dir():
                    gone = find_files(system, path).keys() - {
                        name.relative_to(self.name).as_posix()
                        for name in written
                        if name.parts[0] == self.name
                    }
                    for each in gone:
                        system.rm_file(f"{path}/{each}")

    @contextmanager
    def _file_system(self, done: str) -> Iterator[tuple[AbstractFileSystem, str]]:
        """Yield the store and the path in it; made anew each time, since a forked process cannot use its parent's.

        Whatever the store's package raises becomes one sentence without passwords.
        """
        from fsspec.core import url_to_fs

        try:
            system, path = url_to_fs(self._address.rstrip("/"), **self._arguments)
            system.invalidate_cache()
            yield system, path
        except FileNotFoundError as error:
            why = f": {error}" if done == "written" else ""
            raise MissingFileError(f"{self} is not there{why}") from error
        except ImportError as error:
            extra = EXTRAS.get(self.protocol)
            remedy = f"pip install 'layerwise[{extra}]'" if extra else str(error)
            raise StorageError(f"{self} needs a package that is missing: {remedy}") from error
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            remedy = "; correct the credentials, or ask for the right" * isinstance(error, PermissionError)
            raise StorageError(mask_secrets(f"{self} cannot be {done}: {reason}{remedy}")) from error


def address_of(path: Path) -> str:
    """Return where a file comes from: its address, if it is the copy of one elsewhere, else its path."""
    folder = copy_place("", Path())
    if not path.is_relative_to(folder):
        return str(path)
    protocol, *parts = path.relative_to(folder).parts
    return f"{protocol}://{PurePosixPath(*parts)}"
