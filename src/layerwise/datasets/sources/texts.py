"""Catalog entry for documents as text: a column of a table, the lines of a file, or a folder of .txt files."""

from __future__ import annotations

from typing import Any

from kedro.io import DatasetError
from pydantic import ValidationError

from layerwise.data import DataError, ReadingSettings
from layerwise.data.sources import (
    CountSettings,
    Texts,
    decode_text,
    read_text_folder,
    sha256_of,
)
from layerwise.datasets.sources.base import SourceDataset, source_file
from layerwise.utils import address_of, nearest, parameter


class SourceTexts(SourceDataset):
    """Documents as text, whose words are counted with the vocabulary of the training documents.

    Args:
        texts: the fields of a `layerwise.data.sources.files.SourceFile`; its `name` may be that of a folder of .txt
            files.
        column: of a table: where a row's text stands; null: each line of the file is a document.
        counting: the fields of a `layerwise.data.sources.CountSettings`.
        where: what `SourceDataset` takes.
    """

    ROWS = "documents"

    def __init__(
        self,
        *,
        texts: dict[str, Any],
        column: str | None = None,
        counting: dict[str, Any] | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self._file, self._column = source_file(texts), column
        try:
            self._settings = CountSettings.model_validate(counting or {})
        except ValidationError as error:
            reasons = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise DatasetError(f"counting of this catalog entry is wrong: {reasons}") from error

    def load(self) -> Texts:
        """Return the documents; those without a word are left out when they are counted.

        Raises:
            DatasetError: a file is absent, has other bytes, has no such column, or holds no text.
        """
        try:
            texts, source, sha256 = self._read()
        except DataError as error:
            raise DatasetError(str(error)) from error
        if not any(text.strip() for text in texts):
            raise DatasetError(f"{source} holds no text.")
        return Texts(tuple(texts), self._settings, source, sha256, self._column)

    def _read(self) -> tuple[list[str], str, str]:
        folder = self._locate_folder(self._file)
        if folder is not None:
            _, texts, sha256 = read_text_folder(folder)
            return texts, address_of(folder), sha256
        path = self._locate(self._file)
        sha256 = self._file.sha256 or sha256_of(path)
        if self._column is None:
            lines = decode_text(path.read_bytes()).splitlines()
            return [line for line in lines if line.strip()], address_of(path), sha256
        from layerwise.data.reading import read_text_table, resolve_file_format

        settings = ReadingSettings.model_validate(parameter("problem.reading") or {})
        table = read_text_table(path, resolve_file_format(path, settings))
        if self._column not in table.cells:
            raise DataError(
                f"{path} has no column '{self._column}'{nearest(self._column, list(map(str, table.cells)))}"
            )
        if table.malformed:
            row, reason = next(iter(table.malformed.items()))
            raise DataError(f"{path}, line {table.line_numbers[row]}: {reason}")
        return table.cells[self._column].fillna("").astype(str).tolist(), address_of(path), sha256

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "texts": self._file.name, "column": self._column}
