"""How a recurrent autoencoder continues sequences, beside two baselines."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.models.autoencoder import SequenceAutoencoder
from layerwise.utils import Config


class SequenceReport(Config):
    """Squared errors a row: of the past reconstructed, and of the future by the network, the mean, the last line."""

    reconstruction_sse: float
    prediction_sse: float
    mean_sse: float
    last_line_sse: float

    def __str__(self) -> str:
        return (
            f"Lower halves predicted line by line: squared error {self.prediction_sse:.1f}; of the mean "
            f"{self.mean_sse:.1f}, of the last line repeated {self.last_line_sse:.1f}"
        )


def evaluate_sequences(
    network: SequenceAutoencoder, training: Tensor, test: Tensor, n_input_steps: int
) -> SequenceReport:
    """Return the errors on test sequences.

    Args:
        network: on the CPU.
        training: (m, steps, n_inputs), whose mean is a baseline.
        test: (n, steps, n_inputs).
        n_input_steps: steps that the network sees; the rest is the future.
    """
    past, future = test[:, :n_input_steps], test[:, n_input_steps:]
    with torch.no_grad():
        reconstructed, predicted = network.reconstruct(past), network.predict(past, future.shape[1])
    mean = training[:, n_input_steps:].mean(0)

    def squared_error(guess: Tensor, true: Tensor) -> float:
        return float((guess - true).square().sum((1, 2)).mean())

    return SequenceReport(
        reconstruction_sse=squared_error(reconstructed, past),
        prediction_sse=squared_error(predicted, future),
        mean_sse=squared_error(mean.expand_as(future), future),
        last_line_sse=squared_error(past[:, -1:].expand_as(future), future),
    )
