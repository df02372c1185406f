"""Sample rows: new ones, or what the empty cells of given rows may hold.

How an RBM, a stack, a variational autoencoder and a generator do is in `samplers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataError
from layerwise.data.row_rules import draw_by_rules
from layerwise.inference.tasks.base import Task, TaskError, register_task
from layerwise.inference.tasks.raw_rows import (
    as_written,
    inputs_with_empty_cells,
    raw_frame,
    with_given_cells,
    within_range,
)
from layerwise.inference.tasks.sampling.generated_rows import sample_generator, validate_conditions
from layerwise.inference.tasks.sampling.samplers import (
    sample_network,
    sample_rest,
    sampling_rng,
    validate_label,
)
from layerwise.models.autoencoder import LatentVariableModel
from layerwise.models.gan import Generator
from layerwise.models.rbm import DBM, DBN, RBM
from layerwise.parameters import TaskSettings
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from layerwise.inference.model import TrainedModel


def condition_rows(model: TrainedModel, conditions: Any, n: int) -> pd.DataFrame:
    """Return the conditions of n rows as rows.

    Args:
        model: that draws them.
        conditions: what all rows have, by column; or a DataFrame whose filled cells are those of a row.
        n: rows, of what all have; of a DataFrame it is not read.

    Raises:
        DataError: a column is not there.
    """
    import pandas as pd

    known = Sample().columns(model, TaskSettings())
    for name in conditions:
        if name not in known and name not in _targets(model):
            raise DataError(f"conditions: the table has no column '{name}'{nearest(str(name), known)}")
    return pd.DataFrame([conditions] * n) if isinstance(conditions, Mapping) else conditions


@register_task
class Sample(Task):
    """Return rows in the columns and types of raw ones.

    Without rows `n` are drawn. Of given rows the filled cells are conditions, which stay as they are, and the empty
    ones are drawn; a column that is left out is empty. With `label` they are of that class, by an RBM with label units.
    The same `seed` draws the same on the same machine.
    """

    name = "sample"
    order = 40
    uses = ("n", "seed", "steps", "label")
    beside_rows = False
    exempt_columns = None
    asks_for_empty_cells = True
    works_without_rows = True

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network states a distribution of rows."""
        return model.reads_rows and isinstance(
            model.network, RBM | DBN | DBM | LatentVariableModel | Generator
        )

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the raw columns, of a generator of tables with the target among them."""
        encoding = model.parts.encoding
        return model.raw_names if encoding is None else encoding.raw_names

    def select(self, model: TrainedModel, frame: pd.DataFrame) -> Any:
        """Return the columns that can be conditions; one that is not there is empty."""
        if len(frame) == 0:
            return frame
        names = self.columns(model, TaskSettings())
        _refuse_targets(model, frame, names)
        absent = [name for name in names if name not in frame]
        for name in set(frame) - set(names):
            # A file may have further columns, such as those that a problem drops; one that is nearly a condition's name
            # where that is not there is misspelt.
            if close := get_close_matches(str(name), absent, n=1):
                raise TaskError(f"the table has no column '{name}'; did you mean '{close[0]}'?")
        if len(absent) == len(names):
            raise TaskError(f"none of the columns can be a condition; name some of {', '.join(names[:8])}")
        # As cells of a training file, such as yes for true.
        return model.select_inputs(frame.reindex(columns=names))

    def products(self, model: TrainedModel, settings: TaskSettings, n: int) -> float:
        """Return those of the steps: each goes through the network to and fro."""
        walks = not isinstance(model.network, Generator)
        return super().products(model, settings, n) * (2 * settings.steps if walks else 1)

    def validate(self, model: TrainedModel, rows: Any, strict: bool) -> np.ndarray:
        """Return why a row's conditions cannot be met."""
        if model.parts.encoding is not None:
            reasons = validate_conditions(rows, model.parts.encoding)
        else:
            reasons = super().validate(model, rows, strict)
        return reasons if model.has_image_inputs else _with_broken_rules(model, rows, reasons)

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the drawn rows."""
        _validate_settings(model, rows is not None, settings)
        given = None if rows is None or model.has_image_inputs else rows.reset_index(drop=True).notna()
        rng = sampling_rng(model, settings.seed)

        def draw(at: np.ndarray) -> pd.DataFrame:
            if rows is None:
                return _draw(model, None, settings.model_copy(update={"n": len(at)}), rng)
            return _draw(model, rows[at] if model.has_image_inputs else rows.iloc[at], settings, rng)

        n = settings.n if rows is None else len(rows)
        return as_written(model, draw_by_rules(model.columns.rules, draw, n, settings.seed, given))


def _targets(model: TrainedModel) -> tuple[str, ...]:
    """Return the names of a table's targets."""
    problem = getattr(model.preprocessor, "problem", None)
    return () if problem is None else tuple(problem.targets)


def _refuse_targets(model: TrainedModel, frame: pd.DataFrame, names: list[str]) -> None:
    """Refuse a condition on the target of a network that draws the inputs alone: it would be left out silently."""
    for name in _targets(model):
        if name in frame and name not in names and (frame[name].notna() & (frame[name] != "")).any():
            has_labels = model.parts.classification_rbm is not None
            other = f", or say label, the {name} of all rows" if has_labels else ""
            raise TaskError(
                f"{name} is the target, and no column that this network draws: leave it out{other}"
            )


def _validate_settings(model: TrainedModel, are_given: bool, settings: TaskSettings) -> None:
    """Refuse rows, and settings that were changed, of which the network has no use."""
    if settings.label:
        validate_label(model, settings.label)
    if are_given and isinstance(model.network, DBN | DBM):
        raise TaskError("a stack of layers draws free rows alone: leave the rows out")
    if are_given and settings.changed("n"):
        raise TaskError("each given row is drawn once, and n has no use: leave n out, or give a row n times")
    walks = not isinstance(model.network, Generator | LatentVariableModel)
    if settings.changed("steps") and not (
        walks or (are_given and isinstance(model.network, LatentVariableModel))
    ):
        raise TaskError("this network draws a row at once, and has no use for steps")


def _with_broken_rules(model: TrainedModel, rows: pd.DataFrame, reasons: np.ndarray) -> np.ndarray:
    """Return the reasons, and of rows whose given cells break a rule of the table that one."""
    rules = model.columns.rules.of_columns([str(name) for name in rows])
    for said, broken in rules.broken_by_given(rows):
        reasons[broken & (reasons == "")] = f"what is given breaks the rule of training: {said}"
    return reasons


def _draw(model: TrainedModel, rows: Any, settings: TaskSettings, rng: torch.Generator) -> pd.DataFrame:
    """Return `n` free rows, or one for each given row, with its cells."""
    if isinstance(model.network, Generator):
        return sample_generator(model, rows, settings.n, rng)
    if rows is None:
        return within_range(model, raw_frame(model, sample_network(model, settings, rng).numpy()))
    inputs, missing = inputs_with_empty_cells(model, rows)
    drawn = within_range(model, raw_frame(model, sample_rest(model, inputs, missing, settings, rng).numpy()))
    return with_given_cells(model, rows, drawn)[0]
