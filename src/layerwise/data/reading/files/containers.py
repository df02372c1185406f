"""What a file is, told by its first bytes and never by its name, and its bytes without the archive around them."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from layerwise.data.errors import DataError
from layerwise.data.reading.files.file_format import Contents
from layerwise.data.reading.files.other_programs import SAMPLE, name_other_program
from layerwise.data.sources import parquet_parts
from layerwise.utils import nearest

OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
ZIP = b"PK\x03\x04"
PARQUET = b"PAR1"
BOM = b"\xef\xbb\xbf"
# An array of objects, as the programs of the web answer.
JSON_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{")
NOISE = ("__MACOSX/", ".DS_Store")


def validate_file_exists(path: Path) -> None:
    """Raise a DataError that names the nearest file when there is none of that name."""
    if path.is_file() or parquet_parts(path):
        return
    if path.is_dir():
        raise DataError(f"{path} is a folder that holds no Parquet files; name a file")
    near = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = nearest(path.name, near) if near and len(near) < 1000 else ""
    raise DataError(f"there is no file {path}{hint if hint.startswith('; did') else ''}")


def contents_of(path: Path) -> Contents:
    """Return what a file holds, or a folder of Parquet files.

    Raises:
        DataError: there is none, it is empty, or it holds no table that can be read.
    """
    validate_file_exists(path)
    if path.is_dir():
        return "parquet"
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    if not start:
        raise DataError(f"{path} is empty")
    if start.startswith(PARQUET):
        return "parquet"
    if what := name_other_program(start, path):
        raise DataError(f"{path} is {what}")
    if start.startswith(ZIP):
        with _whole(path), zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
        if "xl/workbook.xml" in names:
            return "excel"
        if "content.xml" in names and "mimetype" in names:
            raise DataError(f"{path} is an OpenDocument file: save it as xlsx or csv")
    if start.startswith(tuple(OPENERS)):
        with open_bytes(path) as file:
            what = name_other_program(file.read(SAMPLE), path)
        if what:
            raise DataError(f"{path} is {what}")
    return "text" if json_form(path) is None else "json"


def json_form(path: Path) -> Literal["lines", "array", "object"] | None:
    """Return how a file holds JSON: an object in each line, one array of objects, or one object; None for no JSON."""
    with open_bytes(path) as file:
        start = file.read(64)
        if JSON_ARRAY.match(start):
            return "array"
        if not start.removeprefix(BOM).lstrip().startswith(b"{"):
            return None
        top = (start + file.readline()).removeprefix(BOM).lstrip()
        first, _, more = top.partition(b"\n")
        is_object = _is_object(first)
        if is_object and (more.strip() or any(line.strip() for line in file)):
            return "lines"
        # A short object may stand in one line, and a long one in many.
        return "object" if is_object or _is_object(top + file.read()) else None


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file; one that is compressed (gz, bz2, xz, zip of one file) is unpacked on the way.

    Raises:
        DataError: it is cut off or damaged, or an archive of several files.
    """
    validate_file_exists(path)
    with path.open("rb") as file:
        start = file.read(8)
    with _whole(path):
        if start.startswith(ZIP):
            with zipfile.ZipFile(path) as archive, _open_member(path, archive) as inside:
                yield inside
            return
        opener = next((each for magic, each in OPENERS.items() if start.startswith(magic)), open)
        with opener(path, "rb") as inside:
            yield inside


def _open_member(path: Path, archive: zipfile.ZipFile) -> IO[bytes]:
    try:
        return archive.open(_only_member(path, archive))
    except (RuntimeError, NotImplementedError) as error:  # a password, an unknown compression
        raise DataError(f"{path} cannot be unpacked: {error}") from error


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    found = [
        each.filename
        for each in archive.infolist()
        if not each.is_dir() and not any(noise in each.filename for noise in NOISE)
    ]
    if len(found) != 1:
        shown = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
        raise DataError(
            f"{path} is an archive of {len(found)} files ({shown}): unpack it and name one of them"
        )
    return found[0]


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Name the file that is cut off or damaged."""
    try:
        yield
    except EOFError as error:
        raise DataError(f"{path} is cut off: its compressed data end too early; copy it anew") from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}); copy it anew") from error
    except OSError as error:
        if isinstance(error, PermissionError):
            raise DataError(f"{path} may not be read: {error.strerror}") from error
        raise DataError(f"{path} cannot be read: {error}") from error
