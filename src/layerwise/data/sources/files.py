"""A problem's raw files: one that is already there, else a checked download.

Nothing half-written is ever taken for the file: a download goes to a temporary folder beside the file's path,
is checked by sha256 there, and gets the file's name in one atomic step. Two runs at once may
both download; both end with the same checked file.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from layerwise.utils import Config, Location, MissingFileError, StorageError, UserError

DATA_FOLDER_VARIABLE = "LAYERWISE_DATA"
GZIP_MAGIC = b"\x1f\x8b"
CONNECT_AND_READ_SECONDS = (10, 30)
CHUNK_BYTES = 1 << 16
SETTLED_SECONDS = 1.0

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SourceError(UserError, RuntimeError):
    """A file is missing, is not the one that was asked for, or cannot be downloaded."""


class _WrongBytesError(Exception):
    """What an address sent is not the file; the next address may have it."""


class SourceFile(Config):
    """One file of a problem, known by its bytes.

    Args:
        name: the file's path below the raw data folder, such as `mnist/train-images-idx3-ubyte.gz`.
        sha256: hash of the file, in hexadecimal; a file of one's own may go without, a download may not.
        hash_of: "file" for the bytes on the disk, "content" for those inside a gz file, so that a file
            that was compressed anew still counts as the same.
        urls: addresses to download from, tried in this order.
        member: the file's name inside the zip archive that the addresses lead to.
        archive_sha256: hash of that archive.
    """

    name: str
    sha256: Sha256 | None = None
    hash_of: Literal["file", "content"] = "file"
    urls: tuple[str, ...] = ()
    member: str | None = None
    archive_sha256: Sha256 | None = None

    @field_validator("name")
    @classmethod
    def _require_relative_path(cls, name: str) -> str:
        path = PurePosixPath(name)
        if "://" in name:
            raise ValueError(f"'{name}' is an address: its folder belongs to path, and its last part here")
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"'{name}' is not a path below the raw data folder")
        return name

    @field_validator("urls")
    @classmethod
    def _require_http(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"the address '{url}' does not begin with http:// or https://")
        return urls

    @model_validator(mode="after")
    def _require_hashes(self) -> SourceFile:
        if self.urls and self.sha256 is None:
            raise ValueError(f"'{self.name}' has addresses but no sha256 to check the download with")
        if self.archive_sha256 and not self.member:
            raise ValueError(f"'{self.name}' has an archive_sha256 but names no member of the archive")
        return self


def parquet_parts(path: Path) -> list[Path]:
    """Return the Parquet files of a folder, which are one table, in the order of their names; none of a file."""
    return sorted(path.glob("*.parquet")) if path.is_dir() else []


def sha256_of(path: Path, hash_of: Literal["file", "content"] = "file") -> str:
    """Return the sha256 of a file, or with `hash_of="content"` of what a gz file holds.

    That of a folder of Parquet files is of the hashes of these.

    Raises:
        OSError, EOFError, zlib.error: the file cannot be read, or is a broken gz file.
    """
    digest = hashlib.sha256()
    if parts := parquet_parts(path):
        digest.update("\n".join(sha256_of(part) for part in parts).encode())
        return digest.hexdigest()
    with open(path, "rb") as handle:
        compressed = hash_of == "content" and handle.read(2) == GZIP_MAGIC
        handle.seek(0)
        with gzip.GzipFile(fileobj=handle) if compressed else nullcontext(handle) as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def sha256_once(path: Path, hash_of: Literal["file", "content"] = "file") -> str:
    """Return what `sha256_of` does, which is not computed anew in this process for files that are as they were.

    They are by their inode, size and times of change, and are read again where these are younger than a second: one
    tick of a file system's clock may have two contents.
    """
    stats = [each.stat() for each in parquet_parts(path) or [path]]
    if time.time() - max(each.st_ctime for each in stats) < SETTLED_SECONDS:
        return sha256_of(path, hash_of)
    states = tuple((each.st_ino, each.st_size, each.st_mtime_ns, each.st_ctime_ns) for each in stats)
    return _sha256_of_state(path.absolute(), hash_of, states)


@lru_cache(maxsize=64)
def _sha256_of_state(
    path: Path, hash_of: Literal["file", "content"], states: tuple[tuple[int, ...], ...]
) -> str:
    return sha256_of(path, hash_of)


def locate(source: SourceFile, folder: str | Path | Location) -> Path:
    """Return the path of a checked file, downloading it into `folder` if it is nowhere.

    Args:
        source: which file.
        folder: the raw data folder, here or in a store elsewhere. A file there wins, then one of the same relative name
            in the folder that the environment variable LAYERWISE_DATA names, then the addresses in their order.

    Raises:
        SourceError: the file is absent and cannot be downloaded, or a file of that name has other bytes.
    """
    folder = folder if isinstance(folder, Location) else Location(folder)
    for path in _present_paths(source, folder):
        _check_present(source, path)
        return path
    destination = folder / source.name
    if not source.urls or folder.is_remote:
        raise SourceError(_missing_file_message(source, destination, []))
    path = destination.local_path()
    _download(source, path)
    return path


def locate_folder(source: SourceFile, folder: str | Path | Location) -> Path | None:
    """Return the path where `locate` would look first, if a folder of many files stands there instead of one file."""
    folder = folder if isinstance(folder, Location) else Location(folder)
    return next((path for path in _present_paths(source, folder) if path.is_dir()), None)


def _present_paths(source: SourceFile, folder: Location) -> Iterator[Path]:
    """Yield the paths on this computer at which the file is; of one elsewhere a copy."""
    try:
        for each in _folders(folder):
            with suppress(MissingFileError):
                path = (each / source.name).local_path()
                if path.exists():
                    yield path
    except StorageError as error:
        raise SourceError(str(error)) from error


def _folders(first: Location) -> Iterator[Location]:
    yield first
    named = os.environ.get(DATA_FOLDER_VARIABLE)
    if not named:
        return
    folder = Location(named)
    if not folder.is_remote and not folder.local_path().is_dir():
        raise SourceError(f"{DATA_FOLDER_VARIABLE} names '{named}', which is not a folder.")
    yield folder


def _check_present(source: SourceFile, path: Path) -> None:
    if not path.is_file() and not parquet_parts(path):
        raise SourceError(f"{path} should be a file, or a folder of Parquet files, but is a folder.")
    try:
        found = sha256_once(path, source.hash_of) if source.sha256 else None
    except PermissionError as error:
        raise SourceError(f"{path} may not be read: {error.strerror}.") from error
    except (OSError, EOFError, zlib.error) as error:
        found = f"none, for it cannot be read ({error})"
    if found != source.sha256:
        remedy = "Remove it, and the next run downloads the right one" if source.urls else "Remove it"
        raise SourceError(
            f"{path} is not the file that was asked for.\n"
            f"  expected {_describe_hash(source)}\n  found    {found}\n"
            f"{remedy}, or put the right file in its place."
        )


def _describe_hash(source: SourceFile) -> str:
    inside = " (of the bytes inside, decompressed)" if source.hash_of == "content" else ""
    return f"{source.sha256}{inside}"


def _missing_file_message(source: SourceFile, destination: Location, failures: list[str]) -> str:
    lines = [f"The file {source.name} is not here" + (", and no address gave it." if failures else ".")]
    if source.sha256:
        lines.append(f"  sha256     {_describe_hash(source)}")
    lines += [f"  address    {line}" for line in failures]
    if source.member:
        lines.append(f"  inside     the archive's {source.member}")
    lines.append(f"  put it at  {destination if destination.is_remote else destination.identity}")
    lines.append(f"  or in a folder named by {DATA_FOLDER_VARIABLE}, as {source.name}")
    return "\n".join(lines)


def _download(source: SourceFile, destination: Path) -> None:
    import requests

    failures = []
    for url in source.urls:
        try:
            _download_from(url, source, destination)
            return
        # A failed connection is an OSError too, so it is caught before the disk's own errors.
        except (requests.RequestException, _WrongBytesError) as error:
            failures.append(f"{url}\n               {type(error).__name__.strip('_')}: {error}")
        except OSError as error:
            raise SourceError(
                f"Cannot write {destination.name} in {destination.parent.absolute()}: {error.strerror or error}. "
                f"Nothing was left there. Make room or give write permission, or name another folder "
                f"that holds {source.name} with {DATA_FOLDER_VARIABLE}."
            ) from error
    raise SourceError(_missing_file_message(source, Location(destination), failures))


def _download_from(url: str, source: SourceFile, destination: Path) -> None:
    import pooch

    # Identity: a server that compresses on the way would have requests decompress it, and change a gz file's bytes.
    downloader = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        chunk_size=CHUNK_BYTES,
        timeout=CONNECT_AND_READ_SECONDS,
        headers={"Accept-Encoding": "identity"},
    )
    pooch.get_logger().setLevel(logging.WARNING)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}.", dir=destination.parent) as folder:
        # pooch knows no hash of what a gz file holds, so the bytes are checked here.
        path = Path(pooch.retrieve(url, None, fname="download", path=folder, downloader=downloader))
        if source.member is not None:
            if source.archive_sha256:
                _compare(sha256_of(path), source.archive_sha256)
            path = _unzip(path, source.member)
        _move_into_place(source, path, destination)


def _unzip(archive: Path, member: str) -> Path:
    """Return the member, extracted beside the archive."""
    import pooch

    try:
        # What is extracted is all that pooch is asked for, and stands below a folder of its own.
        found = pooch.Unzip(members=[member], extract_dir="inside")(str(archive), "download", None)
        return Path(next(iter(found)))
    except (KeyError, StopIteration) as error:
        raise _WrongBytesError(f"the archive holds no {member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise _WrongBytesError(f"not a readable zip archive ({error})") from error


def _move_into_place(source: SourceFile, path: Path, destination: Path) -> None:
    try:
        found = sha256_of(path, source.hash_of)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _WrongBytesError(f"not a readable gz file ({error})") from error
    _compare(found, str(source.sha256))
    # mkstemp makes files for their owner alone; a data file is as readable as the user's others.
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)
    os.replace(path, destination)


def _compare(found: str, expected: str) -> None:
    if found != expected:
        raise _WrongBytesError(f"expected sha256 {expected}, got {found}")
