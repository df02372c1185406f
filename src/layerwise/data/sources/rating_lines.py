"""Ratings that somebody asks with: lines of a user, an item and a rating, of users whom training need not have seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.columns import class_texts
from layerwise.data.reading.cells.affixes import plain_text
from layerwise.data.sources.rating_files import COLUMNS, NAMES, UNNAMED, number_of
from layerwise.data.sources.ratings import RatingsPreprocessor, level_text
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd


class RatingLines:
    """Reads lines by the items and levels of the training ratings.

    Args:
        preprocessor: fitted on these.
    """

    def __init__(self, preprocessor: RatingsPreprocessor) -> None:
        state = preprocessor.state
        self.columns = dict(zip(COLUMNS, state["columns"], strict=True))
        self.levels = np.asarray(state["levels"])
        self.item_ids, self.titles = list(state["item_ids"]), list(state["titles"])
        # An id comes before a title that reads like it.
        self._at = {name: k for k, name in reversed(list(enumerate(self.titles)))}
        self._at |= {name: k for k, name in enumerate(self.item_ids)}

    def read(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `user`, `item` and `rating` of a table, all as text; without users the lines are of one.

        The columns are called as in the training file, or like users, items and ratings; those of a file without a
        header are the first three.

        Raises:
            DataError: a column is not there.
        """
        import pandas as pd

        names = [str(name) for name in frame]
        found: dict[str, str] = {}
        for k, role in enumerate(COLUMNS):
            free = [name for name in names if name not in found.values()]
            named = [name for name in free if name in (self.columns[role], role)]
            named += [name for name in free if name.lower().strip().startswith(NAMES[role])]
            if names[:1] == [UNNAMED] and len(names) >= len(COLUMNS):
                found[role] = names[k]
            elif named:
                found[role] = named[0]
            elif role != "user":
                raise DataError(
                    f"no column is called like the {role}s: name one {role}; there are {', '.join(names)}"
                )
        table = frame.set_axis(names, axis=1)
        return pd.DataFrame(
            {role: _texts(table[found[role]]) if role in found else "" for role in COLUMNS},
            index=range(len(frame)),
        )

    def validate(self, lines: pd.DataFrame) -> np.ndarray:
        """Return why a line of `read` cannot be used, (n,) text; empty for a valid one."""
        levels = ", ".join(map(level_text, self.levels))

        def of_item(item: str) -> str:
            if item in self._at:
                return ""
            hint = nearest(item, self.titles)
            return (
                f"the item '{item[:60]}' has no rating in training{hint if hint.startswith('; did') else ''}"
            )

        def of_rating(rating: str) -> str:
            return (
                "" if number_of(rating) in self.levels else f"the rating '{rating[:60]}' is none of {levels}"
            )

        of_items, of_ratings = _of_each(lines["item"], of_item), _of_each(lines["rating"], of_rating)
        return np.where(of_items != "", of_items, of_ratings)

    def users(self, lines: pd.DataFrame) -> tuple[list[str], np.ndarray]:
        """Return who rates in valid lines, and their ratings (users, items), NaN where there is none.

        Of several ratings of an item by a user the last one counts.
        """
        import pandas as pd

        rows, users = pd.factorize(lines["user"])
        items = _of_each(lines["item"], self._at.__getitem__).astype(np.int64)
        ratings = np.full((len(users), len(self.item_ids)), np.nan, dtype=np.float32)
        ratings[rows, items] = _of_each(lines["rating"], number_of)
        return list(users), ratings


def _of_each(column: pd.Series, function: Callable[[str], Any]) -> np.ndarray:
    """Return a function of each cell, (n,) objects; it is called once for each distinct one."""
    import pandas as pd

    codes, distinct = pd.factorize(column)
    found = np.empty(len(distinct), dtype=object)
    found[:] = [function(each) for each in distinct]
    return found[codes]


def _texts(column: pd.Series) -> np.ndarray:
    """Return the cells as text, (n,); empty for a missing one."""
    found: np.ndarray = class_texts(column).fillna("").astype(str).map(plain_text).to_numpy()
    return found
