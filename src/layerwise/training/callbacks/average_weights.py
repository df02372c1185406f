"""Average the weights over the last epochs, and end training with their mean."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.training.callbacks.base import Callback


class AverageWeights(Callback):
    """Keep the mean of the weights at the ends of the last epochs, and put it in their place after the very last one.

    B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging" (1992). Persistent chains push
    the weights of one mode after another up and down, which a rate that falls does not stop and their mean leaves out.
    The metrics of the last epoch are still those of its own weights.

    Args:
        network: whose weights are averaged.
        fraction: of the epochs, above 0; the last one is always among them.
    """

    def __init__(self, network: nn.Module, fraction: float) -> None:
        self.network, self.fraction = network, fraction
        self._means: dict[str, Tensor] = {}
        self._epochs = 0

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Add the weights to their mean, which replaces them at the end of the last epoch."""
        if progress.epoch <= (1 - self.fraction) * progress.epochs and progress.epoch < progress.epochs:
            return
        self._epochs += 1
        for name, weight in self.network.state_dict().items():
            mean = self._means.setdefault(name, torch.zeros_like(weight, dtype=torch.float64))
            mean += (weight - mean) / self._epochs
            if progress.epoch == progress.epochs:
                weight.copy_(mean)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the means, and of how many epochs they are."""
        means = {f"means.{name}": value.clone() for name, value in self._means.items()}
        return means | {"epochs": torch.tensor(self._epochs)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self._epochs = int(state["epochs"])
        self._means = {
            name.removeprefix("means."): value.clone() for name, value in state.items() if name != "epochs"
        }
