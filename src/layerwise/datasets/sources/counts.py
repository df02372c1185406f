"""Catalog entries for ratings and for documents as word counts; they are only read."""

from __future__ import annotations

import logging
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from kedro.io import DatasetError

from layerwise.data import DataError
from layerwise.data.sources import Documents, Ratings, read_ratings, read_titles, sha256_of
from layerwise.datasets.sources.base import SourceDataset, source_file
from layerwise.datasets.sources.table import SourceTable
from layerwise.utils import address_of, nearest

log = logging.getLogger(__name__)


class SourceRatings(SourceDataset):
    """Ratings in lines of user, item and rating, plain or gz, between tabs, commas, semicolons, | or ::.

    Users and items may be called anything; they are numbered by what is rated. Of several ratings of a pair the last
    one counts.

    Args:
        ratings: the fields of a `layerwise.data.sources.files.SourceFile`.
        titles: the same of a file whose lines begin with an item and its title; without it items are called by their
            ids.
        columns: the names of the columns `user`, `item`, `rating` and, for pairs that were rated twice, `time`; by
            default found by their names, or the first three of a file without a header.
        where: what `SourceDataset` takes.
    """

    ROWS = "ratings"

    def __init__(
        self,
        *,
        ratings: dict[str, Any],
        titles: dict[str, Any] | None = None,
        columns: dict[str, str] | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self._columns = columns
        self._file = source_file(ratings)
        self._titles = source_file(titles) if titles else None

    def load(self) -> Ratings:
        """Return the ratings.

        Raises:
            DatasetError: a file is absent, has other bytes, or holds lines of another kind.
        """
        path = self._locate(self._file)
        try:
            found = read_ratings(path, self._columns)
            titles = read_titles(self._locate(self._titles)) if self._titles else {}
        except (DataError, OSError, EOFError, zlib.error) as error:
            raise DatasetError(str(error)) from error
        for note in found.notes:
            self._say(log, logging.WARNING, f"{path}: {note}")
        names = tuple(titles.get(item, name) for item, name in zip(found.item_ids, found.titles, strict=True))
        sha256 = self._file.sha256 or sha256_of(path)
        return replace(found, titles=names, source=address_of(path), sha256=sha256)

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "file": self._file.name}


class SourceDocuments(SourceDataset):
    """Word counts in the UCI bag-of-words format: three sizes, then lines of document, word and count from 1.

    Args:
        counts: the fields of a `layerwise.data.sources.files.SourceFile`; plain or gz.
        vocabulary: the same of a file with a word a line; without it words are called by their numbers.
        where: what `SourceDataset` takes.
    """

    ROWS = "documents"

    def __init__(
        self,
        *,
        counts: dict[str, Any],
        vocabulary: dict[str, Any] | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self._file = source_file(counts)
        self._vocabulary = source_file(vocabulary) if vocabulary else None

    def load(self) -> Documents:
        """Return the documents.

        Raises:
            DatasetError: a file is absent, has other bytes, or its sizes and lines do not agree.
        """
        from scipy.sparse import csr_matrix

        path = self._locate(self._file)
        try:
            n_documents, n_words, n_lines = np.loadtxt(path, dtype=np.int64, max_rows=3)
            table = np.loadtxt(path, dtype=np.int64, skiprows=3, ndmin=2)
            if table.shape != (n_lines, 3):
                raise ValueError(
                    f"{n_lines} lines of three numbers were promised, and {table.shape} are there"
                )
            positions = (table[:, 0] - 1, table[:, 1] - 1)
            counts = csr_matrix((table[:, 2], positions), shape=(n_documents, n_words))
        except (ValueError, OSError, EOFError) as error:
            raise DatasetError(f"{path} is no bag of words: {error}") from error
        words = [f"word {k + 1}" for k in range(n_words)]
        if self._vocabulary:
            words = self._locate(self._vocabulary).read_text(encoding="utf-8").split()
            if len(words) != n_words:
                raise DatasetError(
                    f"{self._vocabulary.name} holds {len(words)} words, but {path} counts {n_words}."
                )
        return Documents(counts, tuple(words), address_of(path), self._file.sha256 or sha256_of(path))

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "file": self._file.name}


class SourceWordTable(SourceDataset):
    """Word counts in a CSV file: a document a row, a word a column.

    Args:
        file: the fields of a `layerwise.data.sources.files.SourceFile`.
        drop: columns that are no words, such as a document's title.
        reading: how it is read, as `problem.reading`, which is taken where there is none here.
        where: what `SourceDataset` takes.
    """

    ROWS = "documents"

    def __init__(
        self,
        *,
        file: dict[str, Any],
        drop: list[str] | None = None,
        reading: dict[str, Any] | None = None,
        load_args: dict[str, Any] | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self._name = file.get("name")
        self._table = SourceTable(file=file, reading=reading, load_args=load_args, **where)
        self._drop = drop or []

    def load(self) -> Documents:
        """Return the documents; an empty cell counts nothing.

        Raises:
            DatasetError: the file is absent or no table, a column to drop is not there, or a column holds something
                other than whole numbers from 0.
        """
        import pandas as pd
        from scipy.sparse import csr_matrix

        frame = self._table.read()
        for name in self._drop:
            if name not in frame.columns:
                raise DatasetError(
                    f"No column '{name}' to drop{nearest(name, list(map(str, frame.columns)))}"
                )
        words = frame.drop(columns=self._drop).fillna(0)
        for name in words.columns:
            words[name] = pd.to_numeric(words[name], errors="coerce")
            if (~(words[name] >= 0)).any() or (words[name] % 1 != 0).any():
                raise DatasetError(
                    f"Column '{name}' of {frame.attrs['source']} holds something other than counts from 0; "
                    "if it is no word, name it under drop"
                )
        counts = csr_matrix(words.to_numpy(np.int64))
        return Documents(counts, tuple(map(str, words.columns)), frame.attrs["source"], frame.attrs["sha256"])

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "file": self._name}
