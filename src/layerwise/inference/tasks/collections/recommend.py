"""Recommend items to users by their ratings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from layerwise.data.reading import LoadedRows
from layerwise.data.sources import RatingLines, read_rating_lines
from layerwise.evaluation.unsupervised import expected_ratings
from layerwise.inference.tasks.base import Task, register_task
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.data.reading import ChunkedReader
    from layerwise.inference.model import TrainedModel


@register_task
class Recommend(Task):
    """Return for each user the `n` best items that he has not rated, the best one first.

    Rows are ratings: lines of `user`, `item` (its id or its title) and `rating`; without users they are all one user's.
    A user need not be among those that the network learnt from: his ratings here are all that counts.
    `expected_rating` is in the units of ratings; items are ranked by it and by who else rates them
    (`layerwise.models.Recommender`).
    """

    name = "recommend"
    order = 10
    uses = ("n",)
    beside_rows = False
    answers_each_row = False
    exempt_columns = ("user", "item")

    def select(self, model: TrainedModel, frame: pd.DataFrame) -> Any:
        """Return the lines of user, item and rating, as text."""
        return RatingLines(model.preprocessor).read(frame)

    def validate(self, model: TrainedModel, rows: Any, strict: bool) -> np.ndarray:
        """Return why a line cannot be used: an unknown item, or no rating."""
        return RatingLines(model.preprocessor).validate(rows)

    def read_file(self, reader: ChunkedReader) -> pd.DataFrame:
        """Return the lines of a file of any separator, or a catalog entry's rows."""
        if isinstance(reader, LoadedRows):
            return reader.frame()
        return read_rating_lines(reader.path)

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network predicts ratings, and it is known how items are ranked."""
        return model.columns.task == "ratings" and model.parts.recommender is not None

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the answer's columns."""
        return ["user", "rank", "item", "title", "expected_rating"]

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the best items, a line for each."""
        import pandas as pd

        recommender = model.parts.recommender
        assert recommender is not None
        lines = RatingLines(model.preprocessor)
        users, given = lines.users(rows)
        ratings = torch.from_numpy(given)
        expected = expected_ratings(model.network.cpu(), recommender, ratings, lines.levels.tolist())
        scores = recommender.scores(ratings, expected).masked_fill(~ratings.isnan(), -torch.inf)
        order = scores.argsort(dim=1, descending=True, stable=True)[:, : settings.n]
        # What he has rated comes last, and is left out.
        user, rank = ratings.isnan().gather(1, order).numpy().nonzero()
        item = order.numpy()[user, rank]
        found = {
            "user": np.array(users, dtype=object)[user],
            "rank": rank + 1,
            "item": np.array(lines.item_ids, dtype=object)[item],
            "title": np.array(lines.titles, dtype=object)[item],
            "expected_rating": expected.numpy()[user, item].astype(np.float32),
        }
        return pd.DataFrame(found, columns=self.columns(model, settings))
