"""Keep the weights of the best epoch on the validation rows, and end training with them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.training.callbacks.base import Callback
from layerwise.training.callbacks.early_stopping import BestEpoch, EarlyStopping


class KeepBestWeights(BestEpoch):
    """Copy the weights at each best epoch so far, and restore the best ones at the end.

    Args:
        network: whose weights are kept.
        monitor: the metric to watch.
        higher_is_better: True for scores, False for losses and errors.
        min_delta: a gain has to be larger than this.
    """

    def __init__(
        self,
        network: nn.Module,
        monitor: str = "validation/loss",
        higher_is_better: bool = False,
        min_delta: float = 0.0,
    ) -> None:
        super().__init__(monitor, min_delta, higher_is_better)
        self.network = network
        self._weights: dict[str, Tensor] = {}

    def on_epoch_end(self, progress: Progress, metrics: Mapping[str, float]) -> None:
        """Keep the weights of a gain."""
        if self.improved(progress, metrics):
            self._weights = {name: w.detach().clone() for name, w in self.network.state_dict().items()}

    def on_train_end(self, progress: Progress) -> None:
        """Restore the best weights."""
        if self._weights:
            self.network.load_state_dict(self._weights)
            progress.best_epoch = self.best_epoch

    def state_dict(self) -> dict[str, Tensor]:
        """Return the best weights, their score and epoch."""
        weights = {f"weights.{name}": value.clone() for name, value in self._weights.items()}
        return super().state_dict() | weights

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        super().load_state_dict(state)
        self._weights = {
            name.removeprefix("weights."): value.clone()
            for name, value in state.items()
            if name.startswith("weights.")
        }


def best_epoch_callbacks(
    network: nn.Module,
    monitor: str,
    patience: int | None,
    min_delta: float = 0.0,
    higher_is_better: bool = False,
) -> list[Callback]:
    """Return what keeps the best weights and, unless the patience is None, what stops training by it."""
    found: list[Callback] = [
        KeepBestWeights(network, monitor, higher_is_better=higher_is_better, min_delta=min_delta)
    ]
    if patience is not None:
        found.append(EarlyStopping(monitor, patience, min_delta, higher_is_better))
    return found
