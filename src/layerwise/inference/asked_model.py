"""A trained model in a script or a notebook: raw rows in, answers in raw units out, a method for each task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataError
from layerwise.data.sources import images_of_arrays
from layerwise.inference.model import TrainedModel
from layerwise.inference.tasks import answer_rows, condition_rows, offered_tasks, parse_settings

if TYPE_CHECKING:
    import pandas as pd


class AskedModel:
    """A trained model that answers; `layerwise.load` returns one.

    Rows are a DataFrame of raw columns, or of images an array (n, height, width), with colors last or first, or
    (n, pixels). Every method raises a `TaskError` that says what the model does, where it lacks a task, and a
    `DataError` that names rows with their reasons; a cell of a kind that training never had is warned of and answered,
    unless `strict`.

    Args:
        trained_model: the model.
        name: by which it was found, for messages.
        strict: refuse rows with cells of a kind that training never had.
    """

    def __init__(self, trained_model: TrainedModel, name: str = "", strict: bool = False) -> None:
        self.trained_model, self.name, self.strict = trained_model, name, strict

    def __repr__(self) -> str:
        return f"<{self.name or self.trained_model.kind}: {', '.join(self.tasks)}>"

    @property
    def tasks(self) -> list[str]:
        """What the model can be asked."""
        return [task.name for task in offered_tasks(self.trained_model)]

    def ask(self, task: str, rows: Any = None, **settings: Any) -> pd.DataFrame:
        """Return the answer of any task, with the settings that it reads."""
        asked = parse_settings({"task": task} | settings)
        return answer_rows(self.trained_model, self._frame(rows), asked, self.strict)

    def predict(self, rows: Any) -> pd.DataFrame:
        """Return predictions of a supervised network."""
        return self.ask("predict", rows)

    def explain(self, rows: Any, samples: int = 32, seed: int = -1) -> pd.DataFrame:
        """Return predictions of a table's rows with what each column adds to them."""
        return self.ask("explain", rows, samples=samples, seed=seed)

    def recommend(self, ratings: Any, n: int = 10) -> pd.DataFrame:
        """Return the n best items for each user, of lines of `user`, `item` and `rating`."""
        return self.ask("recommend", ratings, n=n)

    def encode(self, rows: Any) -> pd.DataFrame:
        """Return the latent columns of each row."""
        return self.ask("encode", rows)

    def score(self, rows: Any, contamination: float = 0.05, error_columns: bool = False) -> pd.DataFrame:
        """Return how unusual each row is, and whether it is anomalous."""
        return self.ask("anomaly", rows, contamination=contamination, error_columns=error_columns)

    def reconstruct(self, rows: Any) -> pd.DataFrame:
        """Return the rows as the network reconstructs them."""
        return self.ask("reconstruct", rows)

    def impute(self, rows: Any) -> pd.DataFrame:
        """Return the rows with their empty cells filled."""
        return self.ask("impute", rows)

    def sample(self, n: int = 10, given: Any = None, seed: int = -1, **settings: Any) -> pd.DataFrame:
        """Return n rows that the network draws; where some are given, one for each, with its filled cells.

        Args:
            n: rows, where none are given.
            given: rows whose filled cells are conditions; or what all n rows have, by column, such as
                `{"Geography": "France", "Exited": 1}`.
            seed: -1 is drawn; `attrs["seed"]` of the answer has it.
            settings: `steps` of a chain.
        """
        if given is None:
            return self.ask("sample", n=n, seed=seed, **settings)
        if isinstance(given, Mapping):
            given = condition_rows(self.trained_model, given, n)
        return self.ask("sample", given, seed=seed, **settings)

    def _frame(self, rows: Any) -> pd.DataFrame | None:
        import pandas as pd

        if rows is None or isinstance(rows, pd.DataFrame):
            return rows
        if not self.trained_model.has_image_inputs:
            raise DataError("the rows of a table are a DataFrame with its columns")
        array = np.asarray(rows)
        if array.shape == self.trained_model.columns.image_shape:
            array = array[None]  # one image alone
        pixels = images_of_arrays(array, self.trained_model.preprocessor.image_reading)
        names = list(self.trained_model.columns.feature_names)
        flat = pixels.reshape(len(pixels), -1)
        if flat.shape[1] != len(names):
            raise DataError(f"images of {flat.shape[1]} pixels do not fit a network of {len(names)}")
        return pd.DataFrame(flat, columns=names)
