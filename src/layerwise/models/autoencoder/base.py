"""What every autoencoder of rows offers once it can encode a row and read a code."""

from __future__ import annotations

from torch import Tensor, nn

from layerwise.models.autoencoder.outputs import Output


class BaseAutoencoder(nn.Module):
    """Encode rows, decode codes; who inherits says how, and what the last total inputs mean (`output`)."""

    output: Output

    def encode(self, x: Tensor) -> Tensor:
        """Return codes (rows, latent_size)."""
        raise NotImplementedError

    def decode_pre_activation(self, latent: Tensor) -> Tensor:
        """Return the last layer's total inputs (..., n_inputs), which the output reads."""
        raise NotImplementedError

    def decode(self, latent: Tensor) -> Tensor:
        """Return reconstructions (rows, n_inputs): the means that codes stand for."""
        return self.output.mean(self.decode_pre_activation(latent))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the rows encoded and decoded, shape of x, without noise."""
        return self.decode(self.encode(x))

    def forward(self, x: Tensor) -> Tensor:
        """Return the total inputs of the reconstruction, shape of x."""
        return self.decode_pre_activation(self.encode(x))

    def loss(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return each row's loss between total inputs x and the rows, shape (rows,)."""
        return self.output.loss(x, rows)
