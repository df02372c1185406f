"""Many feed-forward networks of one shape as one module: stacked parameters, batched matrix products."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.configuration import Config
from layerwise.models.mlp import MLP, MLPConfig


class MembersConfig(Config):
    """The shape of each member, and the seeds they grew from."""

    kind: Literal["mlp_members"] = "mlp_members"
    shape: MLPConfig
    seeds: tuple[int, ...]


class Members(nn.Module):
    """N networks whose parameters lie in one matrix, a line a member: (N, numbers).

    Each member computes what an `MLP` with its parameters would.

    Args:
        config: the members' shape and seeds.
        networks: whose parameters are copied; None leaves them zero, to be loaded.
    """

    def __init__(self, config: MembersConfig, networks: list[MLP] | None = None) -> None:
        super().__init__()
        self.config = config
        pattern = MLP(config.shape)
        self.layout = [(name, value.shape) for name, value in pattern.named_parameters()]
        lines = torch.zeros(len(config.seeds), sum(shape.numel() for _, shape in self.layout))
        if networks is not None:
            lines = torch.stack(
                [nn.utils.parameters_to_vector(net.parameters()).detach() for net in networks]
            )
        self.lines = nn.Parameter(lines)

    def __len__(self) -> int:
        return len(self.config.seeds)

    def parts(self, lines: Tensor) -> dict[str, Tensor]:
        """Return views of (N, numbers) lines, each (N, *shape), by the names an `MLP` gives its parameters."""
        found, start = {}, 0
        for name, shape in self.layout:
            found[name] = lines[:, start : start + shape.numel()].unflatten(1, shape)
            start += shape.numel()
        return found

    def member(self, k: int) -> MLP:
        """Return the k-th member as a network of its own, in evaluation mode."""
        network = MLP(self.config.shape).to(self.lines)
        with torch.no_grad():
            nn.utils.vector_to_parameters(self.lines[k], network.parameters())
        return network.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (N, rows, n_outputs) of inputs (rows, n_inputs) that all members read."""
        return members_forward(self.config.shape, self.parts(self.lines), x.expand(len(self), *x.shape))


def members_forward(
    shape: MLPConfig, parts: dict[str, Tensor], x: Tensor, masks: list[Tensor | None] | None = None
) -> Tensor:
    """Return outputs (N, rows, n_outputs) of inputs (N, rows, n_inputs).

    Args:
        parts: parameters by name, each (N, *shape).
        masks: of the inputs and of each hidden layer, (N, rows, units), multiplied with it; None for none.
    """
    for k, name in enumerate(shape.activations):
        mask = None if masks is None else masks[k]
        x = x if mask is None else x * mask
        x = torch.baddbmm(parts[f"hidden.{k}.bias"][:, None], x, parts[f"hidden.{k}.weight"].mT)
        x = _activate(name, x, parts.get(f"activations.{k}.weight"))
    mask = None if masks is None else masks[-1]
    x = x if mask is None else x * mask
    x = torch.baddbmm(parts["output.bias"][:, None], x, parts["output.weight"].mT)
    return x.exp() if shape.output == "exponential" else x


def _activate(name: str, x: Tensor, slope: Tensor | None) -> Tensor:
    if name == "linear":
        return x
    if name == "prelu":
        assert slope is not None
        return torch.where(x > 0, x, slope[:, :, None] * x)
    if name in ("sigmoid", "tanh"):
        return getattr(torch, name)(x)
    return getattr(functional, name)(x)
