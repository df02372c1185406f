"""Documents as counts of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.sources.texts import Texts, count_words, fit_vocabulary
from layerwise.data.splits import Split
from layerwise.data.tensors import ColumnBlock, DataSpec, SparseTensorData


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
            "data_spec": data_spec.model_dump(mode="json"),
        }
        return cls(state)

    def count(self, texts: Sequence[str]) -> SparseTensorData:
        """Return how often each known word stands in each document; empty rows where none does.

        Raises:
            DataError: the training documents came as counts, and not as text.
        """
        if not self.state.get("vocabulary"):
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
