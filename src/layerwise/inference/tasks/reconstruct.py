"""Reconstruct raw rows: as the network sees them, in their own columns and types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.inference.tasks.base import Task, register_task
from layerwise.inference.tasks.raw_rows import as_written, raw_frame
from layerwise.models import goes_both_ways
from layerwise.models.autoencoder import BaseAutoencoder, StackedAutoencoders
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


@register_task
class Reconstruct(Task):
    """Return each row encoded and decoded: means of numbers, the likeliest category, pixels."""

    name = "reconstruct"
    order = 30
    beside_rows = False

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network goes both ways."""
        return model.reads_rows and goes_both_ways(model.network)

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the raw columns."""
        return model.raw_names

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the rows as they are reconstructed."""
        network: Any = model.network
        reconstruct = model.in_blocks("reconstruct", lambda: network.reconstruct)
        return as_written(model, raw_frame(model, np.asarray(reconstruct(model.inputs(rows)))))


@register_task
class Denoise(Reconstruct):
    """Return each row without its noise, as an autoencoder reconstructs it that learnt from corrupted rows."""

    name = "denoise"
    order = 31

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network is an autoencoder."""
        return model.reads_rows and isinstance(model.network, BaseAutoencoder | StackedAutoencoders)
