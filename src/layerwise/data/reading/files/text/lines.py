"""The lines of a text in whatever encoding it has."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from layerwise.data.errors import DataError
from layerwise.data.reading.files.containers import open_bytes
from layerwise.data.reading.files.file_format import FileFormat
from layerwise.data.reading.files.text.encodings import USUAL, latin_encodings
from layerwise.data.reading.files.text.marks import exempt_columns, unmarked_lines

# utf-32 first: its mark begins with that of utf-16.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PART_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 16
# What a byte that the encoding does not know becomes, so that its row alone is lost.
UNKNOWN_BYTE = re.compile("[\udc80-\udcff]")
Source = Path | bytes


def name_of(source: Source) -> str:
    """Return what messages call a file, or the body of a request."""
    return "the body" if isinstance(source, bytes) else str(source)


@contextmanager
def open_source(source: Source) -> Iterator[IO[bytes]]:
    """Open a file, unpacked, or the body of a request."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    else:
        with open_bytes(source) as file:
            yield file


@contextmanager
def open_text(source: Source, encoding: str) -> Iterator[Iterator[str]]:
    """Open the lines of a text, each with its end; a byte that the encoding does not know becomes a surrogate.

    A CSV file that this project has marked against spreadsheets (`marks.py`) reads as it was.

    Raises:
        DataError: the bytes are no text of that encoding at all.
    """
    with open_source(source) as file:
        try:
            text = io.TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
            exempt = exempt_columns(source) if isinstance(source, Path) else None
            yield text if exempt is None else unmarked_lines(text, exempt)
        except UnicodeError as error:
            raise DataError(f"{name_of(source)} is no text in {encoding}: {error}") from error


def marked_encoding(source: Source) -> str | None:
    """Return the encoding that a byte order mark says, or UTF-16 where every second byte is zero; else None."""
    with open_source(source) as file:
        start = file.read(1 << 10)
    marked = next((name for mark, name in MARKS.items() if start.startswith(mark)), None)
    if marked is None and b"\0" in start:
        zeros = [start[k::2].count(0) / max(1, len(start[k::2])) for k in (0, 1)]
        if min(zeros) == 0 and max(zeros) > 0.5:
            return "utf-16-le" if zeros[1] else "utf-16-be"
    return marked


def is_utf8(source: Source) -> bool:
    """Return whether all of a text is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_source(source) as file:
        try:
            while part := file.read(PART_BYTES):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def encoding_of(source: Source, file_format: FileFormat) -> str:
    """Return the encoding of a later file: a byte order mark goes first, then what was set, then UTF-8, if all of the
    file is that, then what training found.
    """
    marked = marked_encoding(source)
    if marked is not None:
        return marked
    if file_format.encoding_is_set or file_format.encoding == "utf-8" or not is_utf8(source):
        return file_format.encoding
    return "utf-8"


def find_encoding(source: Source) -> tuple[str, str]:
    """Return the encoding of a text that is no UTF-8, and the sentence that says so.

    Raises:
        DataError: the bytes are no text in any encoding.
    """
    from charset_normalizer import from_bytes

    sample = _unusual_lines(source)
    if b"\r" in sample and b"\n" not in sample:
        # "CSV (Macintosh)" of spreadsheets; cp1252 would read an umlaut within a word as another sign.
        return "mac-roman", (
            "the text is no UTF-8 and its lines end as those of old Macs do: it is read as mac-roman; "
            "problem.reading.encoding sets it"
        )
    known = latin_encodings(sample)
    found = [] if len(known) > 1 else [each.encoding for each in from_bytes(sample, cp_isolation=USUAL)]
    names = [*known, *(name for name in found if name not in known)]
    if not names:
        raise DataError(f"{name_of(source)} is no text in any known encoding; set problem.reading.encoding")
    sentence = f"the text is no UTF-8, and is read as {names[0]}{_runner_up(sample, names)}"
    return names[0], f"{sentence}: problem.reading.encoding sets it"


def _runner_up(sample: bytes, names: list[str]) -> str:
    """Return the first word that the next likely encoding would read otherwise, in brackets, empty if there is none."""
    chosen = sample.decode(names[0], "replace").split()
    for other in names[1:]:
        differing = [
            pair
            for pair in zip(chosen, sample.decode(other, "replace").split(), strict=False)
            if pair[0] != pair[1]
        ]
        if differing:
            return f" ({differing[0][0][:30]}; {other} would read {differing[0][1][:30]})"
    return ""


def _unusual_lines(source: Source) -> bytes:
    """Return the lines that are no ASCII, up to a size that is quickly looked at."""
    kept, size = [], 0
    with open_source(source) as file:
        for line in file:
            if not line.isascii():
                kept.append(line)
                size += len(line)
                if size > SAMPLE_BYTES:
                    break
    return b"".join(kept)
