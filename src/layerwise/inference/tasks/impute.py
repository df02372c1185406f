"""Impute the empty cells of raw rows; what is given stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from layerwise.evaluation.unsupervised import impute
from layerwise.inference.reproducible import apply_in_blocks
from layerwise.inference.tasks.base import register_task
from layerwise.inference.tasks.raw_rows import (
    as_written,
    inputs_with_empty_cells,
    raw_frame,
    with_given_cells,
    within_range,
)
from layerwise.inference.tasks.reconstruct import Reconstruct
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


@register_task
class Impute(Reconstruct):
    """Return the rows with their empty cells filled, and in `imputed` which of each row's columns were.

    The network reconstructs a row whose empty cells hold the training means, again and again, each time with what is
    given put back (Rezende et al. 2014, appendix F, without the noise): as often as filled masked cells of validation
    rows best, and not at all where the means did.
    """

    name = "impute"
    order = 32
    asks_for_empty_cells = True

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network reconstructs, and the training means are known."""
        return super().suits(model) and model.parts.reference is not None

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the raw columns and of the flag."""
        return [*super().columns(model, settings), "imputed"]

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the filled rows."""
        reference = model.parts.reference
        assert reference is not None
        inputs, missing = inputs_with_empty_cells(model, rows)
        network: Any = model.network
        start = torch.tensor(reference.input_means, dtype=inputs.dtype, device=model.device)

        def filled(both: Tensor) -> Tensor:
            given, empty = both.chunk(2, 1)
            return impute(network.reconstruct, given, empty > 0, start, reference.imputation_iterations)

        found = apply_in_blocks(filled, torch.cat([inputs, missing.to(inputs)], 1), model.device)
        complete, empty = with_given_cells(
            model, rows, within_range(model, raw_frame(model, np.asarray(found)))
        )
        return as_written(model, complete).assign(imputed=_named(empty))


def _named(empty: pd.DataFrame) -> list[str]:
    names = np.asarray([str(name) for name in empty], dtype=object)
    return ["; ".join(names[row]) for row in empty.to_numpy()]
