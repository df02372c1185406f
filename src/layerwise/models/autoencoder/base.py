"""The base class of autoencoders of rows, and its layers in a chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from layerwise.models.heads import Output


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


class BaseAutoencoder(nn.Module):
    """Encode rows to latents and decode them; a subclass says how, and how its `output` reads pre-activations."""

    output: Output
    # `encode_with_jacobian_norm` is there.
    has_exact_jacobian = False

    def encode(self, x: Tensor) -> Tensor:
        """Return latents (rows, latent_size)."""
        raise NotImplementedError

    def decode_pre_activation(self, latent: Tensor) -> Tensor:
        """Return the last layer's pre-activations (..., n_inputs), which the output reads."""
        raise NotImplementedError

    def decode(self, latent: Tensor) -> Tensor:
        """Return reconstructions (rows, n_inputs): the output's means given the latents."""
        return self.output.mean(self.decode_pre_activation(latent))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the rows encoded and decoded, shape of x, without noise."""
        return self.encode_and_reconstruct(x)[1]

    def encode_and_reconstruct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `encode` and `reconstruct` return; rows are encoded once."""
        latent = self.encode(x)
        return latent, self.decode(latent)

    def forward(self, x: Tensor) -> Tensor:
        """Return the pre-activations of the reconstruction, shape of x."""
        return self.decode_pre_activation(self.encode(x))

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return each row's loss between pre-activations x and the rows, shape (rows,)."""
        return self.output.loss(x, rows)

    def reconstruction_loss(self, rows: Tensor) -> Tensor:
        """Return the loss of each row, encoded and decoded without noise, shape (rows,)."""
        return self.loss_and_reconstruction(rows)[0]

    def loss_and_reconstruction(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return `reconstruction_loss` and `reconstruct` of rows, which are encoded and decoded once."""
        x = self(rows)
        return self.loss(x, rows), self.output.mean(x)

    def first_weight(self) -> Tensor | None:
        """Return the first layer's weight (units, n_inputs), of which each row is a feature; None: it has none."""
        return None

    def encode_with_jacobian_norm(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return latents (rows, latent_size) and |J|^2 = sum_ij (dh_i / dx_j)^2 of each row, shape (rows,), exactly."""
        raise NotImplementedError

    def layer_chain(self) -> LayerChain | None:
        """Return the layers from the inputs to the latent and back; None: they are not one chain of full layers."""
        return None


class LatentVariableModel(BaseAutoencoder):
    """p(x | z) p(z) with a normal posterior q(z | x), whose likelihood has a bound and whose prior has samples."""

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of q(z | x), each (rows, latent_size)."""
        raise NotImplementedError

    def sample(self, n: int, rng: torch.Generator, sample_outputs: bool = False) -> Tensor:
        """Return the means of p(x | z), or with `sample_outputs` rows sampled from it, for n latents of the prior."""
        raise NotImplementedError

    def encode(self, x: Tensor) -> Tensor:
        """Return the posterior means (rows, latent_size)."""
        return self.posterior(x)[0]
