"""Documents as text in chunks: the .txt files of a folder, or the lines of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from layerwise.data.reading.chunks import Chunk, ChunkedReader
from layerwise.data.reading.files import format_csv_line
from layerwise.data.sources import DocumentsPreprocessor, decode_text, read_text_folder


class DocumentRows(ChunkedReader):
    """Texts in memory, each with what it is called: its file's name, or its number.

    Args:
        path: where they stood.
        label: the column of what they are called.
        names: of the texts.
        texts: the documents.
        column: of a text in the chunks.
        chunk_rows: rows of a chunk.
    """

    has_pictures = has_image_inputs = False

    def __init__(
        self, path: Path, label: str, names: list[str], texts: list[str], column: str, chunk_rows: int
    ) -> None:
        self.path, self.chunk_rows, self.labels = path, chunk_rows, None
        self._label, self._names, self._texts, self._column = label, names, texts, column

    def header(self, *_: Any) -> list[str]:
        """Return the name of the one column that stands before an answer."""
        return [self._label]

    def chunks(self, *_: Any) -> Iterator[Chunk]:
        """Yield the texts."""
        import pandas as pd

        for start in range(0, len(self._texts), self.chunk_rows):
            part = slice(start, start + self.chunk_rows)
            lines = [format_csv_line([name]) for name in self._names[part]]
            yield Chunk(start, pd.DataFrame({self._column: self._texts[part]}), lines)


def document_rows(reader: ChunkedReader, preprocessor: DocumentsPreprocessor) -> ChunkedReader:
    """Return a reader of documents: of a folder its .txt files, of a file its lines or the rows of its table.

    A file has a table where the training documents stood in the column of one, or came as counts; else each of its
    lines is a document.
    """
    if not preprocessor.counts_text or type(reader) is not ChunkedReader:
        return reader
    column = preprocessor.raw_names[0]
    if reader.path.is_dir():
        names, texts, _ = read_text_folder(reader.path)
        return DocumentRows(reader.path, "file", names, texts, column, reader.chunk_rows)
    if preprocessor.state.get("column"):
        return reader
    texts = [line for line in decode_text(reader.path.read_bytes()).splitlines() if line.strip()]
    return DocumentRows(
        reader.path, "row", [str(k) for k in range(len(texts))], texts, column, reader.chunk_rows
    )
