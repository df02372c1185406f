"""The format of a file: what is fixed at training, kept in the model, and obeyed for every later file."""

from __future__ import annotations

from typing import Literal

from layerwise.utils import Config

Contents = Literal["text", "parquet", "excel", "json"]


class FileFormat(Config):
    """How a file is cut into rows and cells.

    Args:
        contents: of the file that training read; a later file may be of another kind, told by its bytes.
        separator: between the cells of a row of text.
        quote: around cells that hold separators; empty for none.
        encoding: of the text; a byte order mark in a file goes before it.
        encoding_is_set: the settings say the encoding, so that text in UTF-8 is not tried first.
        skip_lines: before the header, of text or of a sheet.
        header_rows: rows of names above each other, which are joined.
        names: of the columns of a text without a header; a later one may have a header of these names.
        sheet: of a workbook, by name or position; None: the only one.
        columns: the names in the header of the file that training read, by which the header of a later one is found.
        notes: what was found, with the reason, in sentences.
    """

    contents: Contents = "text"
    separator: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    encoding_is_set: bool = False
    skip_lines: int = 0
    header_rows: int = 1
    names: tuple[str, ...] = ()
    sheet: str | int | None = None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
