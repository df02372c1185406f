"""Transforms of a batch's inputs: their base class, several in sequence, and dynamic binarization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from layerwise.utils import torch_rng


class RandomTransform:
    """A transform with a random generator of its own, whose state a checkpoint keeps."""

    rng: torch.Generator

    @property
    def rngs(self) -> list[torch.Generator]:
        """The generators that it draws from."""
        return [self.rng]

    def state_dict(self) -> dict[str, Tensor]:
        """Return the generator's state."""
        return {"rng": self.rng.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict()` returned."""
        self.rng.set_state(state["rng"])


class Compose:
    """Several transforms, one after the other."""

    def __init__(self, steps: Sequence[Callable[[Tensor], Tensor]]) -> None:
        self.steps = list(steps)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the output of the last transform."""
        for step in self.steps:
            inputs = step(inputs)
        return inputs

    @property
    def rngs(self) -> list[torch.Generator]:
        """The generators of those that draw."""
        return [rng for step in self.steps for rng in getattr(step, "rngs", ())]

    def state_dict(self) -> dict[str, Tensor]:
        """Return the states of those that have one."""
        return {
            f"{k}.{name}": value
            for k, step in enumerate(self.steps)
            if hasattr(step, "state_dict")
            for name, value in step.state_dict().items()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict()` returned."""
        for k, step in enumerate(self.steps):
            own = {name.split(".", 1)[1]: value for name, value in state.items() if name.startswith(f"{k}.")}
            if own:
                step.load_state_dict(own)  # type: ignore[attr-defined]


class DynamicBinarization(RandomTransform):
    """Sample each input as 0 or 1 with its value as the probability, anew for every batch.

    Dynamic binarisation (Salakhutdinov & Murray 2008): a grey value is the probability
    that the binarized pixel is 1.

    Args:
        rng: random generator on the device of the batches.
    """

    def __init__(self, rng: torch.Generator) -> None:
        self.rng = rng

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return a sample of the inputs' shape and type; the inputs, in [0, 1], are left as they are."""
        draws = torch.rand(inputs.shape, generator=self.rng, device=inputs.device, dtype=inputs.dtype)
        return (draws < inputs).to(inputs.dtype)


def binarize_once(rows: Tensor, rng: torch.Generator) -> Tensor:
    """Return rows in [0, 1] as 0 or 1 by one draw; rows that are 0 and 1 already are returned themselves."""
    return rows if bool(((rows == 0) | (rows == 1)).all()) else torch.bernoulli(rows, generator=rng)


def make_dynamic_binarization(seed: int, device: torch.device | str, consumer: str) -> DynamicBinarization:
    """Return a dynamic binarization with a random stream of its own for the named consumer."""
    return DynamicBinarization(torch_rng(seed, consumer, "binarise", device=device))
