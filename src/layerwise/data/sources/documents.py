"""Documents as counts of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
    """The vocabulary: words that occur in training documents."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.data_spec = DataSpec(**state["data_spec"])

    @classmethod
    def fit(cls, documents: Documents, training: np.ndarray) -> DocumentsPreprocessor:
        """Keep the words of the training documents."""
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
            "data_spec": data_spec.model_dump(mode="json"),
        }
        return cls(state)

    def parts(
        self, documents: Documents, split: Split
    ) -> tuple[SparseTensorData, SparseTensorData, SparseTensorData]:
        """Return training, validation and test documents that hold a known word."""
        made = []
        for at in (split.training, split.validation, split.test):
            counts = documents.counts[at][:, self.state["known"]].astype(np.float32)
            made.append(SparseTensorData(counts[np.asarray(counts.sum(1)).reshape(-1) > 0]))
        return made[0], made[1], made[2]
