"""Encode raw rows: the mean activations of hidden units, or an autoencoder's latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from layerwise.inference.tasks.base import Task, register_task
from layerwise.models import goes_both_ways
from layerwise.models.rbm import DBM, DBN, RBM
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


# Rows that are read at a time, at the least; of narrow tables as many as hold the numbers of so many images.
ROWS_AT_A_TIME = 8192
NUMBERS_AT_A_TIME = 784 * ROWS_AT_A_TIME


def latent_size(model: TrainedModel) -> int | None:
    """Return how many columns rows are encoded to; None for a network that encodes none."""
    if not goes_both_ways(model.network):
        return None
    network: Any = model.network
    with torch.no_grad():
        return int(network.encode(torch.zeros(1, model.columns.n_inputs, device=model.device)).shape[-1])


def encoded(model: TrainedModel, rows: Any) -> np.ndarray:
    """Return the latents of valid rows, (n, latent size) float32."""
    network: Any = model.network
    # Of documents, which are wide, few are dense at a time; each reading of a table costs something beside its rows.
    n = max(ROWS_AT_A_TIME, NUMBERS_AT_A_TIME // model.columns.n_inputs)
    encode = model.in_blocks("encode", lambda: network.encode)
    parts = [encode(model.inputs(rows[start : start + n])) for start in range(0, max(len(rows), 1), n)]
    return torch.cat(parts).numpy()


@register_task
class Encode(Task):
    """Return the latent columns of each row: `hidden_1`, ... of RBMs and their stacks, `latent_1`, ... of others."""

    name = "encode"
    joins_requests = True
    order = 10

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network has hidden units to encode rows with."""
        return goes_both_ways(model.network) and model.columns.task != "ratings"

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return a name for each hidden unit."""
        what = "hidden" if isinstance(model.network, RBM | DBN | DBM) else "latent"
        return [f"{what}_{k + 1}" for k in range(latent_size(model) or 0)]

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the activations, float32."""
        import pandas as pd

        return pd.DataFrame(encoded(model, rows), columns=self.columns(model, settings))
