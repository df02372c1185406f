"""What is done to a batch's inputs each time it is drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from layerwise.seeding import generator_for


class FreshBinarise:
    """Draw each input as 0 or 1 with its value as the probability, anew for every batch.

    Dynamic binarisation (Salakhutdinov & Murray 2008): a grey value is read as the probability of ink.

    Args:
        generator: where the draws come from; on the device of the batches.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return a sample of the inputs' shape and type; the inputs, in [0, 1], are left as they are."""
        draws = torch.rand(inputs.shape, generator=self.generator, device=inputs.device, dtype=inputs.dtype)
        return (draws < inputs).to(inputs.dtype)


def binarise_freshly(seed: int, device: torch.device | str, consumer: str) -> FreshBinarise:
    """Return a fresh binarisation with a stream of random numbers of its own for the named consumer."""
    return FreshBinarise(generator_for(seed, consumer, "binarise", device=device))
