"""An optimiser's moments as named tensors, and back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def moments_to_tensors(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """Return copies of every moment and step count as `<prefix>.<parameter's number>.<name>`."""
    return {
        f"{prefix}.{i}.{name}": torch.as_tensor(value).clone()
        for i, moments in optimizer.state_dict()["state"].items()
        for name, value in moments.items()
    }


def load_moment_tensors(optimizer: torch.optim.Optimizer, prefix: str, state: Mapping[str, Tensor]) -> None:
    """Give back what `moments_to_tensors` returned under the same prefix."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in state.items():
        if name.startswith(f"{prefix}."):
            i, moment = name.removeprefix(f"{prefix}.").split(".", 1)
            moments.setdefault(int(i), {})[moment] = value.clone()
    # torch's own `load_state_dict` would cast nadam's product of momenta to the type of the weights.
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for k, parameter in enumerate(parameters):
        optimizer.state[parameter] = moments.get(k, {})
