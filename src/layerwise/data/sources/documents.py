"""Documents as counts of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.data_spec import ColumnBlock, DataSpec
from layerwise.data.errors import DataError
from layerwise.data.rows import SparseTensorData
from layerwise.data.sources.texts import TEXT, Texts, count_words, fit_vocabulary
from layerwise.data.splits import Split

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Documents:
    """A bag of words for each document.

    Args:
        counts: (documents, words) SciPy CSR matrix of whole numbers.
        words: the vocabulary.
        source: where they come from.
        sha256: of the file.
    """

    counts: Any
    words: tuple[str, ...]
    source: str = ""
    sha256: str = ""

    def __len__(self) -> int:
        return int(self.counts.shape[0])


class DocumentsPreprocessor:
    """The vocabulary: words that occur in training documents.

    Of documents that come as text it also holds how their words are counted, so that new text is counted alike.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.data_spec = DataSpec(**state["data_spec"])

    @classmethod
    def fit(cls, documents: Documents | Texts, training: np.ndarray) -> DocumentsPreprocessor:
        """Keep the words of the training documents."""
        vocabulary: tuple[str, ...] = ()
        column = documents.column if isinstance(documents, Texts) else None
        if isinstance(documents, Texts):
            vocabulary = fit_vocabulary([documents.texts[k] for k in training], documents.settings)
            documents = _counted(documents, vocabulary)
        known = np.flatnonzero(np.asarray(documents.counts[training].sum(0)).reshape(-1))
        names = tuple(documents.words[k] for k in known)
        data_spec = DataSpec(
            task="documents",
            n_inputs=len(names),
            n_outputs=1,
            feature_names=names,
            blocks=(ColumnBlock(name="words", kind="count", start=0, stop=len(names)),),
            target_names=(),
            source=documents.source,
            sha256=documents.sha256,
        )
        state = {
            "kind": "documents",
            "known": known.tolist(),
            "vocabulary": list(vocabulary),
            "column": column,
            "data_spec": data_spec.model_dump(mode="json"),
        }
        return cls(state)

    @property
    def counts_text(self) -> bool:
        """Whether documents come as text; else as counts, a column for each word."""
        return bool(self.state.get("vocabulary"))

    @property
    def raw_names(self) -> list[str]:
        """The columns of documents to come: that of the text, or the words."""
        return [self.state.get("column") or TEXT] if self.counts_text else list(self.data_spec.feature_names)

    def read(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the documents of a table: `text`, or the counts of each known word, 0 where it has no column.

        Raises:
            DataError: no column is that of the text, or of a known word.
        """
        import pandas as pd

        if self.counts_text:
            names = [name for name in (self.state.get("column"), TEXT) if name in frame]
            if not names and frame.shape[1] == 1:
                names = list(frame)
            if not names:
                wanted = " or ".join(f"'{name}'" for name in dict.fromkeys([*self.raw_names, TEXT]))
                raise DataError(f"the table has no column {wanted}, which holds the documents' text")
            return pd.DataFrame({TEXT: frame[names[0]].fillna("").astype(str)})
        words = self.raw_names
        if not set(words) & set(frame):
            raise DataError(
                f"no column counts a word that the model knows, such as {', '.join(words[:5])}; it learnt from counts "
                "of words, and reads no text"
            )
        found = frame.reindex(columns=words, fill_value=0).fillna(0)
        return found.apply(pd.to_numeric, errors="coerce").astype(np.float64)

    def validate(self, rows: pd.DataFrame) -> np.ndarray:
        """Return why a document cannot be answered, (n,) text; empty for a valid one. `rows` are those of `read`."""
        reasons = np.full(len(rows), "", dtype=object)
        if not self.counts_text:
            counts = rows.to_numpy()
            wrong = ~((counts >= 0) & (counts % 1 == 0) & np.isfinite(counts))
            for row in np.flatnonzero(wrong.any(1)):
                reasons[row] = f"the count of {rows.columns[wrong[row].argmax()]} is no whole number from 0"
        empty = (reasons == "") & (np.asarray(self._counts(rows).sum(1)).reshape(-1) == 0)
        reasons[empty] = "none of the document's words is among those that the model learnt from"
        return reasons

    def inputs(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the counts (n, words) float32 of documents as `read` returns them."""
        counts = self._counts(rows)
        return counts if isinstance(counts, np.ndarray) else counts.toarray()

    def _counts(self, rows: pd.DataFrame) -> Any:
        return self.count(list(rows[TEXT])).matrix if self.counts_text else np.array(rows, np.float32)

    def count(self, texts: Sequence[str]) -> SparseTensorData:
        """Return how often each known word stands in each document; empty rows where none does.

        Raises:
            DataError: the training documents came as counts, and not as text.
        """
        if not self.counts_text:
            raise DataError("the model learnt from counts of words, and text cannot be counted alike")
        counts = count_words(texts, self.state["vocabulary"])
        return SparseTensorData(counts[:, self.state["known"]].astype(np.float32))

    def parts(
        self, documents: Documents | Texts, split: Split
    ) -> tuple[SparseTensorData, SparseTensorData, SparseTensorData]:
        """Return training, validation and test documents that hold a known word."""
        if isinstance(documents, Texts):
            documents = _counted(documents, self.state["vocabulary"])
        made = []
        for at in (split.training, split.validation, split.test):
            counts = documents.counts[at][:, self.state["known"]].astype(np.float32)
            made.append(SparseTensorData(counts[np.asarray(counts.sum(1)).reshape(-1) > 0]))
        return made[0], made[1], made[2]


def _counted(texts: Texts, vocabulary: Sequence[str]) -> Documents:
    counts = count_words(texts.texts, vocabulary)
    return Documents(counts, tuple(vocabulary), texts.source, texts.sha256)
