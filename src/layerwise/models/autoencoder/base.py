"""The base class of autoencoders of rows."""

from __future__ import annotations

from torch import Tensor, nn

from layerwise.models.autoencoder.outputs import Output


class BaseAutoencoder(nn.Module):
    """Encode rows to latents and decode them; a subclass says how, and how its `output` reads pre-activations."""

    output: Output

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
        return self.decode(self.encode(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return the pre-activations of the reconstruction, shape of x."""
        return self.decode_pre_activation(self.encode(x))

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return each row's loss between pre-activations x and the rows, shape (rows,)."""
        return self.output.loss(x, rows)
