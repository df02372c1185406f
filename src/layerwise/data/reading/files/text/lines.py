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
    """Return the encoding that a byte order mark says, None where there is none."""
    with open_source(source) as file:
        start = file.read(4)
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), None)


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
    found = list(from_bytes(sample))
    if not found:
        raise DataError(f"{name_of(source)} is no text in any known encoding; set problem.reading.encoding")
    best = found[0]
    # The most frequent one by far goes before others that read the bytes no better.
    chosen = next(
        (
            each
            for each in found
            if each.chaos <= best.chaos
            and each.coherence >= best.coherence
            and "cp1252" in each.could_be_from_charset
        ),
        best,
    )
    encoding = "cp1252" if "cp1252" in chosen.could_be_from_charset else chosen.encoding
    other = next((each for each in found if str(each) != str(chosen)), None)
    sentence = f"the text is no UTF-8, and is read as {encoding}"
    if other is not None:
        differing = next(
            (a, b)
            for a, b in zip(str(chosen).split(), [*str(other).split(), *[""] * len(sample)], strict=False)
            if a != b
        )
        sentence += f" ({differing[0][:30]}; {other.encoding} would read {differing[1][:30]})"
    return encoding, f"{sentence}: problem.reading.encoding sets it"


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
