"""Ratings of items by users, and the rows of one-hot ratings that an RBM or an autoencoder learns from.

The row of an item has a group of one-hot columns for each user (`ratings_by: items`), the row of a user one for each
item (`ratings_by: users`). A rating that is missing is a group of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from layerwise.data.errors import DataError
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.splits import Split
from layerwise.data.tensors import ColumnBlock, DataSpec, TensorData


@dataclass(frozen=True)
class Ratings:
    """Ratings one by one.

    Args:
        users, items, values: (n,) int64: positions of the users and of the items from 0, and the ratings.
        titles: of the items.
        source: where they come from.
        sha256: of the file.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    titles: tuple[str, ...]
    source: str = ""
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.values)


class RatingsPreprocessor:
    """Which rating goes to which row and column; the levels are those of the training ratings."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.data_spec = DataSpec(**state["data_spec"])

    @classmethod
    def fit(
        cls, ratings: Ratings, training: np.ndarray, problem: Problem, settings: PreprocessingSettings
    ) -> RatingsPreprocessor:
        """Note the levels of the ratings, the users and the items.

        Raises:
            DataError: there are fewer than two levels.
        """
        levels = [int(level) for level in np.unique(ratings.values[training])]
        if len(levels) < 2:
            raise DataError(f"the ratings have one level only ({levels}): there is nothing to learn")
        users = [f"user {k + 1}" for k in range(int(ratings.users.max()) + 1)]
        by_items = settings.ratings_by == "items"
        names, rows = (users, ratings.titles) if by_items else (ratings.titles, users)
        k = len(levels)
        blocks = tuple(
            ColumnBlock(
                name=name, kind="categorical", start=k * i, stop=k * i + k, categories=tuple(map(str, levels))
            )
            for i, name in enumerate(names)
        )
        data_spec = DataSpec(
            task="ratings",
            n_inputs=k * len(names),
            n_outputs=1,
            feature_names=tuple(f"{name}: {level}" for name in names for level in levels),
            blocks=blocks,
            target_names=("rating",),
            class_names=tuple(map(str, levels)),
            source=ratings.source,
            sha256=ratings.sha256,
        )
        state = {
            "kind": "ratings",
            "by_items": by_items,
            "levels": levels,
            "rows": list(rows),
            "data_spec": data_spec.model_dump(mode="json"),
        }
        return cls(state)

    def parts(self, ratings: Ratings, split: Split) -> tuple[TensorData, TensorData, TensorData]:
        """Return training, validation and test rows; every part has all rows, each with the part's ratings alone."""
        training, validation, test = (
            self._rows(ratings, at) for at in (split.training, split.validation, split.test)
        )
        return training, validation, test

    def _rows(self, ratings: Ratings, at: np.ndarray) -> TensorData:
        levels = np.asarray(self.state["levels"])
        at = at[np.isin(ratings.values[at], levels)]
        row_and_group = (
            (ratings.items, ratings.users) if self.state["by_items"] else (ratings.users, ratings.items)
        )
        rows, groups = row_and_group[0][at], row_and_group[1][at]
        inputs = torch.zeros(len(self.state["rows"]), self.data_spec.n_inputs)
        columns = groups * len(levels) + np.searchsorted(levels, ratings.values[at])
        inputs[torch.from_numpy(rows), torch.from_numpy(columns)] = 1
        return TensorData(inputs)
