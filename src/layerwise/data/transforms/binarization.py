"""What is done to a batch's inputs each time it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from layerwise.utils.random_streams import torch_rng


class RandomTransform:
    """What draws from a generator of its own; a checkpoint keeps where that one is."""

    rng: torch.Generator

    def state_dict(self) -> dict[str, Tensor]:
        """Return the generator's state."""
        return {"rng": self.rng.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self.rng.set_state(state["rng"])


class Compose:
    """Several transforms, one after the other."""

    def __init__(self, steps: Sequence[Callable[[Tensor], Tensor]]) -> None:
        self.steps = list(steps)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return what the last one makes of the inputs."""
        for step in self.steps:
            inputs = step(inputs)
        return inputs

    def state_dict(self) -> dict[str, Tensor]:
        """Return the states of those that have one."""
        return {
            f"{k}.{name}": value
            for k, step in enumerate(self.steps)
            if hasattr(step, "state_dict")
            for name, value in step.state_dict().items()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        for k, step in enumerate(self.steps):
            own = {name.split(".", 1)[1]: value for name, value in state.items() if name.startswith(f"{k}.")}
            if own:
                step.load_state_dict(own)  # type: ignore[attr-defined]


class DynamicBinarization(RandomTransform):
    """Draw each input as 0 or 1 with its value as the probability, anew for every batch.

    Dynamic binarisation (Salakhutdinov & Murray 2008): a grey value is read as the probability of ink.

    Args:
        rng: where the draws come from; on the device of the batches.
    """

    def __init__(self, rng: torch.Generator) -> None:
        self.rng = rng

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return a sample of the inputs' shape and type; the inputs, in [0, 1], are left as they are."""
        draws = torch.rand(inputs.shape, generator=self.rng, device=inputs.device, dtype=inputs.dtype)
        return (draws < inputs).to(inputs.dtype)


def make_dynamic_binarization(seed: int, device: torch.device | str, consumer: str) -> DynamicBinarization:
    """Return a fresh binarisation with a stream of random numbers of its own for the named consumer."""
    return DynamicBinarization(torch_rng(seed, consumer, "binarise", device=device))
