"""Catalog entries for ratings and for documents; they read only."""

from __future__ import annotations

from typing import Any

import numpy as np
from kedro.io import DatasetError

from layerwise.data.documents import Documents
from layerwise.data.ratings import Ratings
from layerwise.data.sources import sha256_of
from layerwise.datasets.sources import _located, _ReadOnly, _source_file


class SourceRatings(_ReadOnly):
    """Ratings in lines of user, item and rating, numbered from 1, as MovieLens has them.

    Args:
        path: the raw data folder.
        ratings: the fields of a `layerwise.data.sources.SourceFile`: lines of user, item, rating and more, by tabs.
        titles: the same of a file of lines `item|title|...`; without it items are called by their numbers.
        metadata: for plugins; not used here.
    """

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
        path = _located(self._file, self._folder)
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
            lines = _located(self._titles, self._folder).read_text(encoding="latin-1").splitlines()
            for line in lines:
                number, title = line.split("|")[:2]
                if int(number) <= n_items:
                    names[int(number) - 1] = title
        users, items, values = table[:, 0] - 1, table[:, 1] - 1, table[:, 2]
        sha256 = self._file.sha256 or sha256_of(path)
        return Ratings(users, items, values, tuple(names), str(path), sha256)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._folder, "file": self._file.name}


class SourceDocuments(_ReadOnly):
    """Word counts in the UCI bag-of-words format: three sizes, then lines of document, word and count from 1.

    Args:
        path: the raw data folder.
        counts: the fields of a `layerwise.data.sources.SourceFile`; plain or gz.
        vocabulary: the same of a file with a word a line; without it words are called by their numbers.
        metadata: for plugins; not used here.
    """

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

        path = _located(self._file, self._folder)
        try:
            n_documents, n_words, n_lines = np.loadtxt(path, dtype=np.int64, max_rows=3)
            table = np.loadtxt(path, dtype=np.int64, skiprows=3, ndmin=2)
            if table.shape != (n_lines, 3):
                raise ValueError(
                    f"{n_lines} lines of three numbers were promised, and {table.shape} are there"
                )
            places = (table[:, 0] - 1, table[:, 1] - 1)
            counts = csr_matrix((table[:, 2], places), shape=(n_documents, n_words))
        except (ValueError, OSError, EOFError) as error:
            raise DatasetError(f"{path} is no bag of words: {error}") from error
        words = [f"word {k + 1}" for k in range(n_words)]
        if self._vocabulary:
            words = _located(self._vocabulary, self._folder).read_text(encoding="utf-8").split()
            if len(words) != n_words:
                raise DatasetError(
                    f"{self._vocabulary.name} holds {len(words)} words, but {path} counts {n_words}."
                )
        return Documents(counts, tuple(words), str(path), self._file.sha256 or sha256_of(path))

    def _describe(self) -> dict[str, Any]:
        return {"path": self._folder, "file": self._file.name}
