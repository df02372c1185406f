"""An autoencoder as `LayerStatistics` reads a network: one hidden layer after the other, then the output."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

from torch import Tensor, nn

from layerwise.models.autoencoder import Autoencoder
from layerwise.training.plan import TrainingError


class SequentialView(nn.Module):
    """The layers of an autoencoder, from the inputs to the latent and back.

    Args:
        network: fully connected.
    """

    def __init__(self, network: Autoencoder) -> None:
        super().__init__()
        *decoder_hidden, last = network.decoder
        self.hidden = nn.ModuleList([*network.encoder, *decoder_hidden])
        self.output = last
        names = (*network.config.activations, *[network.config.decoder_activation] * len(decoder_hidden))
        self.config = SimpleNamespace(activations=names)
        self._activations = (*network.activations, *network.decoder_activations)

    def hidden_activations(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the activations of each hidden layer, the first one first."""
        for layer, activation in zip(self.hidden, self._activations, strict=True):
            x = activation(layer(x))
            yield x


def sequential_view(network: nn.Module) -> Any:
    """Return the view.

    Raises:
        TrainingError: the network's layers are not one chain of fully connected ones.
    """
    if not isinstance(network, Autoencoder):
        raise TrainingError(
            "layer_statistics reads fully connected layers one after the other: set layer_statistics: false for "
            "variational and convolutional autoencoders"
        )
    return cast(Any, SequentialView(network))
