"""Name a document's topics: the hidden units of a replicated softmax that are on, and their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.inference.tasks.base import Task, register_task
from layerwise.inference.tasks.encode import encoded
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel

NAMED_TOPICS = 3


@register_task
class Topics(Task):
    """Return each document's three foremost topics, and the words that each stands for.

    A topic is a hidden unit. Foremost are those whose `activation`, the probability of the unit, is furthest above its
    mean over the training documents: one that is on for all documents says nothing of any.
    """

    name = "topics"
    order = 5

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network has topics of documents, and their words are known."""
        return model.columns.task == "documents" and model.parts.topics is not None

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the answer's columns."""
        return [
            f"{name}_{k + 1}" for k in range(self._named(model)) for name in ("topic", "activation", "words")
        ]

    def _named(self, model: TrainedModel) -> int:
        topics = model.parts.topics
        assert topics is not None
        return min(NAMED_TOPICS, len(topics.top_words))

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the topics, numbered from 1 as the columns of `encode` are."""
        import pandas as pd

        topics, activations = model.parts.topics, encoded(model, rows)
        assert topics is not None
        words = np.array([" ".join(each) for each in topics.top_words], dtype=object)
        above = activations - np.asarray(topics.mean_activations)
        first = np.argsort(-above, axis=1, kind="stable")[:, : self._named(model)]
        found: dict[str, Any] = {}
        for k, units in enumerate(first.T, 1):
            found[f"topic_{k}"] = units + 1
            found[f"activation_{k}"] = np.take_along_axis(activations, units[:, None], 1)[:, 0]
            found[f"words_{k}"] = words[units]
        return pd.DataFrame(found)
