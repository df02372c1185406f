"""Catalog entries for ratings and for documents as word counts; they are only read."""

from __future__ import annotations

from typing import Any

import numpy as np
from kedro.io import DatasetError

from layerwise.data.sources import Documents, Ratings, sha256_of
from layerwise.datasets.source_table import SourceTable
from layerwise.datasets.sources import _locate, _ReadOnlyDataset, _source_file
from layerwise.utils import nearest


class SourceRatings(_ReadOnlyDataset):
    """Ratings in lines of user, item and rating, numbered from 1, as MovieLens has them.

    Args:
        path: the raw data folder.
        ratings: the fields of a `layerwise.data.sources.files.SourceFile`: lines of user, item, rating and more,
            separated by tabs.
        titles: the same of a file of lines `item|title|...`; without it items are called by their numbers.
        metadata: for plugins; not used here.
    """

    ROWS = "ratings"

    def __init__(
        self,
        *,
        path: str,
        ratings: dict[str, Any],
        titles: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = path
        self._file = _source_file(ratings)
        self._titles = _source_file(titles) if titles else None
        self.metadata = metadata

    def load(self) -> Ratings:
        """Return the ratings.

        Raises:
            DatasetError: a file is absent, has other bytes, or holds lines of another kind.
        """
        path = _locate(self._file, self._folder)
        if path.stat().st_size == 0:
            raise DatasetError(f"{path} is empty: it holds no lines of user, item and rating.")
        try:
            table = np.loadtxt(path, dtype=np.int64, delimiter="\t", usecols=(0, 1, 2), ndmin=2)
        except ValueError as error:
            raise DatasetError(f"{path} does not hold lines of user, item and rating: {error}") from error
        if len(table) == 0 or table[:, :2].min() < 1:
            raise DatasetError(f"{path} holds no ratings, or users and items that are not numbered from 1.")
        n_items = int(table[:, 1].max())
        names = [f"item {k + 1}" for k in range(n_items)]
        if self._titles:
            lines = _locate(self._titles, self._folder).read_text(encoding="latin-1").splitlines()
            for line in lines:
                number, title = line.split("|")[:2]
                if int(number) <= n_items:
                    names[int(number) - 1] = title
        users, items, values = table[:, 0] - 1, table[:, 1] - 1, table[:, 2]
        sha256 = self._file.sha256 or sha256_of(path)
        return Ratings(users, items, values, tuple(names), str(path), sha256)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._folder, "file": self._file.name}


class SourceDocuments(_ReadOnlyDataset):
    """Word counts in the UCI bag-of-words format: three sizes, then lines of document, word and count from 1.

    Args:
        path: the raw data folder.
        counts: the fields of a `layerwise.data.sources.files.SourceFile`; plain or gz.
        vocabulary: the same of a file with a word a line; without it words are called by their numbers.
        metadata: for plugins; not used here.
    """

    ROWS = "documents"

    def __init__(
        self,
        *,
        path: str,
        counts: dict[str, Any],
        vocabulary: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = path
        self._file = _source_file(counts)
        self._vocabulary = _source_file(vocabulary) if vocabulary else None
        self.metadata = metadata

    def load(self) -> Documents:
        """Return the documents.

        Raises:
            DatasetError: a file is absent, has other bytes, or its sizes and lines do not agree.
        """
        from scipy.sparse import csr_matrix

        path = _locate(self._file, self._folder)
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
            words = _locate(self._vocabulary, self._folder).read_text(encoding="utf-8").split()
            if len(words) != n_words:
                raise DatasetError(
                    f"{self._vocabulary.name} holds {len(words)} words, but {path} counts {n_words}."
                )
        return Documents(counts, tuple(words), str(path), self._file.sha256 or sha256_of(path))

    def _describe(self) -> dict[str, Any]:
        return {"path": self._folder, "file": self._file.name}


class SourceWordTable(_ReadOnlyDataset):
    """Word counts in a CSV file: a document a row, a word a column.

    Args:
        path: the raw data folder.
        file: the fields of a `layerwise.data.sources.files.SourceFile`.
        drop: columns that are no words, such as a document's title.
        reading: how it is read, as `problem.reading`, which is taken where there is none here.
        metadata: for plugins; not used here.
    """

    ROWS = "documents"

    def __init__(
        self,
        *,
        path: str,
        file: dict[str, Any],
        drop: list[str] | None = None,
        reading: dict[str, Any] | None = None,
        load_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._table = SourceTable(path=path, file=file, reading=reading, load_args=load_args)
        self._description = {"path": path, "file": file.get("name")}
        self._drop = drop or []
        self.metadata = metadata

    def load(self) -> Documents:
        """Return the documents; an empty cell counts nothing.

        Raises:
            DatasetError: the file is absent or no table, a column to drop is not there, or a column holds something
                other than whole numbers from 0.
        """
        import pandas as pd
        from scipy.sparse import csr_matrix

        frame = self._table.load()
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
        return dict(self._description)
