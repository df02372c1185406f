"""An autoencoder as the health probe looks at networks: one hidden layer after the other, then the output."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

from torch import Tensor, nn

from layerwise.models.autoencoder.feedforward import Autoencoder
from layerwise.training.plan import TrainingError


class SequentialView(nn.Module):
    """The layers of an autoencoder on its way to the code and back.

    Args:
        network: fully connected.
    """

    def __init__(self, network: Autoencoder) -> None:
        super().__init__()
        *back, last = network.decoder
        self.hidden = nn.ModuleList([*network.encoder, *back])
        self.output = last
        names = (*network.config.activations, *[network.config.decoder_activation] * len(back))
        self.config = SimpleNamespace(activations=names)
        self._acts = (*network.activations, *network.decoder_activations)

    def hidden_activations(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the activities of each hidden layer, the first one first."""
        for layer, act in zip(self.hidden, self._acts, strict=True):
            x = act(layer(x))
            yield x


def sequential_view(network: nn.Module) -> Any:
    """Return the view.

    Raises:
        TrainingError: the network's layers are not one chain of fully connected ones.
    """
    if not isinstance(network, Autoencoder):
        raise TrainingError(
            "layer_statistics looks into fully connected layers one after the other: set layer_statistics: false for variational and "
            "convolutional autoencoders"
        )
    return cast(Any, SequentialView(network))
