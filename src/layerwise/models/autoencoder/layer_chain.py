"""The layers of a network one after the other, as `LayerStatistics` of `layerwise.training.diagnostics` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn


class LayerChain(nn.Module):
    """Hidden layers with their activations, then an output; it shares the layers of the network that it is of.

    Args:
        hidden: the hidden layers, from the inputs on.
        activations: of each of them.
        activation_names: what they are called.
        output: the last layer.
    """

    def __init__(
        self,
        hidden: Sequence[nn.Module],
        activations: Sequence[nn.Module],
        activation_names: Sequence[str],
        output: nn.Module,
    ) -> None:
        super().__init__()
        self.hidden, self.output = nn.ModuleList(hidden), output
        self.activation_names = tuple(activation_names)
        self._activations = tuple(activations)

    def hidden_activations(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the activations of each hidden layer, the first one first."""
        for layer, activation in zip(self.hidden, self._activations, strict=True):
            x = activation(layer(x))
            yield x
