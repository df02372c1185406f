"""Ratings of items by users, and the rows of one-hot ratings that an RBM or an autoencoder learns from.

The row of an item has a group of one-hot columns for each user (`ratings_by: items`), the row of a user one for each
item (`ratings_by: users`). A rating that is missing is a group of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from layerwise.data.data_spec import ColumnBlock, DataSpec
from layerwise.data.errors import DataError
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.rows import TensorData
from layerwise.data.splits import Split

if TYPE_CHECKING:
    import pandas as pd

# Of each part's rows, one-hot and dense.
MAX_GIB = 16


@dataclass(frozen=True)
class Ratings:
    """Ratings one by one.

    Args:
        users, items: (n,) int64, positions from 0 of those that rated and were rated.
        values: (n,) the ratings.
        titles: of the items.
        source: where they come from.
        sha256: of the file.
        user_ids, item_ids: what users and items are called in the file.
        notes: what a reader of the results has to know: pairs that were rated twice.
        columns: what the file calls its users, items and ratings.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    titles: tuple[str, ...]
    source: str = ""
    sha256: str = ""
    user_ids: tuple[str, ...] = ()
    item_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("user", "item", "rating")

    def __len__(self) -> int:
        return len(self.values)

    def frame(self) -> pd.DataFrame:
        """Return a line for each rating, its columns called as in the file."""
        import pandas as pd

        named = np.array(self.user_ids, object)[self.users], np.array(self.item_ids, object)[self.items]
        return pd.DataFrame(dict(zip(self.columns, (*named, self.values), strict=True)))


def level_text(value: float) -> str:
    """Return how a rating is written: 4, or 3.5."""
    return f"{value:g}"


class RatingsPreprocessor:
    """Which rating goes to which row and column; the levels are those of the training ratings.

    What a caller sends are lines of a user, an item and a rating; `layerwise.data.sources.RatingLines` reads them.
    """

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
        levels = [float(level) for level in np.unique(ratings.values[training])]
        if len(levels) < 2:
            raise DataError(f"the ratings have one level only ({levels}): there is nothing to learn")
        shown = tuple(level_text(level) for level in levels)
        users = tuple(f"user {name}" for name in ratings.user_ids)
        by_items = settings.ratings_by == "items"
        names, rows = (users, ratings.titles) if by_items else (ratings.titles, users)
        k = len(levels)
        gib = len(rows) * k * len(names) * 4 / 2**30
        if gib > MAX_GIB:
            raise DataError(
                f"{len(rows):,} rows of {len(names):,} ratings with {k} levels take {gib:,.0f} GiB; leave out "
                "users and items with few ratings"
            )
        blocks = tuple(
            ColumnBlock(name=name, kind="categorical", start=k * i, stop=k * i + k, categories=shown)
            for i, name in enumerate(names)
        )
        data_spec = DataSpec(
            task="ratings",
            n_inputs=k * len(names),
            n_outputs=1,
            feature_names=tuple(f"{name}: {level}" for name in names for level in shown),
            blocks=blocks,
            target_names=("rating",),
            class_names=shown,
            source=ratings.source,
            sha256=ratings.sha256,
            notes=ratings.notes,
        )
        state = {
            "kind": "ratings",
            "by_items": by_items,
            "levels": levels,
            "rows": list(rows),
            "columns": list(ratings.columns),
            "item_ids": list(ratings.item_ids),
            "titles": list(ratings.titles),
            "data_spec": data_spec.model_dump(mode="json"),
        }
        return cls(state)

    @property
    def raw_names(self) -> list[str]:
        """The columns of ratings to come, called as in the training file."""
        return list(self.state["columns"])

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
