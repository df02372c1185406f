"""Log-probabilities of raw rows: exact but for log Z, or bounded from below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from layerwise.evaluation.likelihood import LogPartition, importance_weighted_log_prob, variational_bound
from layerwise.inference.reproducible import apply_in_blocks
from layerwise.inference.tasks.base import Task, register_task
from layerwise.models.autoencoder import LatentVariableModel
from layerwise.models.rbm import DBM, DBN, RBM
from layerwise.parameters import TaskSettings
from layerwise.utils import torch_rng

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


def log_partition_of(model: TrainedModel) -> LogPartition | None:
    """Return log Z with its interval: of a model's RBM, of the top one of its stack, or of all layers of its deep
    Boltzmann machine; None where it is not known.
    """
    known = model.parts.bound if isinstance(model.network, DBN | DBM) else model.parts.likelihood
    return known.log_partition if known else None


@register_task
class LogProbability(Task):
    """Return bounds on log p of each row in nats, of the inputs that the network reads: scaled numbers, pixels 0 to 1.

    Of an RBM -F(v) - log Z, between the ends of the interval of log Z that its run found: `log_prob_low` and
    `log_prob_high`, which are equal where log Z is exact. Of a deep belief network and of a variational autoencoder
    `log_prob_low` alone, a bound whose mean over draws lies below log p: of the stack the variational one
    (Salakhutdinov & Murray 2008), less the upper end of log Z; of a deep Boltzmann machine the mean-field one; of
    the autoencoder the importance-weighted one with `samples` draws (Burda et al. 2016). All rows have the same
    draws, by `seed`: a row's bound is the same beside any others. Where inputs are binary units, gray pixels are
    binarized by one draw, the same for all rows.
    """

    name = "log_probability"
    order = 25
    uses = ("samples", "seed")

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network states a distribution whose log Z is known or not needed."""
        if isinstance(model.network, LatentVariableModel):
            return model.reads_rows
        log_z = log_partition_of(model)
        return log_z is not None and log_z.is_bounded

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return the names of the answer's columns."""
        return ["log_prob_low", *(["log_prob_high"] if isinstance(model.network, RBM) else [])]

    def products(self, model: TrainedModel, settings: TaskSettings, n: int) -> float:
        """Return those of the draws."""
        return super().products(model, settings, n) * (
            1 if isinstance(model.network, RBM) else settings.samples
        )

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the bounds, float64."""
        import pandas as pd

        network: Any = model.network
        log_z, samples = log_partition_of(model), settings.samples
        units = network.output if isinstance(network, LatentVariableModel) else network.visible_units
        inputs = _binarized(model.inputs(rows), units.binary, settings.seed)
        if isinstance(network, RBM | DBM):
            assert log_z is not None
            found = apply_in_blocks(network.bound, inputs, model.device).numpy()
            ends = {"log_prob_low": found - log_z.high, "log_prob_high": found - log_z.low}
            return pd.DataFrame({name: ends[name] for name in self.columns(model, settings)})

        def bound(row: Tensor, rng: torch.Generator) -> float:
            if log_z is None:
                return float(importance_weighted_log_prob(network, row, samples, rng))
            return float(variational_bound(network, row.expand(samples, -1), log_z.high, rng, 1).mean())

        # One row at a time, each with the same random numbers.
        rng = torch_rng(settings.seed, "log_probability", device=model.device)
        state, found = rng.get_state(), np.empty(len(inputs))
        with torch.no_grad():
            for k, row in enumerate(inputs.to(model.device).split(1)):
                rng.set_state(state)
                found[k] = bound(row, rng)
        return pd.DataFrame({"log_prob_low": found})


def _binarized(inputs: Tensor, is_binary: bool, seed: int) -> Tensor:
    """Return rows of binary units as 0 and 1, each by the same draw of a number for every input."""
    if not is_binary:
        return inputs
    draw = torch.rand(inputs.shape[1], generator=torch_rng(seed, "log_probability", "pixels"))
    return (draw < inputs).to(inputs.dtype)
