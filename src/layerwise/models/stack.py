"""Many feed-forward networks of one shape as one module: stacked parameters, batched matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.models.kinds import register_network
from layerwise.models.layers import dropout_mask
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.utils import Config


class MembersConfig(Config):
    """The shape of each member, and the seed of each."""

    kind: Literal["mlp_members"] = "mlp_members"
    shape: MLPConfig
    seeds: tuple[int, ...]


class DropoutMasks(NamedTuple):
    """Masks of dropout and DropConnect for N networks; None where nothing is dropped.

    Args:
        units: of the inputs and of each hidden layer, (N, rows, units), multiplied with it.
        connections: of each hidden layer, (N, units, inputs), or (N, rows, units, inputs) with masks for each row.
    """

    units: Sequence[Tensor | None]
    connections: Sequence[Tensor | None]


def is_running_statistic(name: str) -> bool:
    """Return whether an entry of the state is a running mean or variance, which no gradient changes."""
    return name.rpartition(".")[2] in ("running_mean", "running_var")


@register_network(MembersConfig)
class Members(nn.Module):
    """N networks whose parameters and running statistics are one matrix, a row a member: (N, numbers).

    Each member computes what an `MLP` with its parameters would.

    Args:
        config: the members' shape and seeds.
        networks: whose state is copied; None leaves it zero, to be loaded.
    """

    def __init__(self, config: MembersConfig, networks: list[MLP] | None = None) -> None:
        super().__init__()
        self.config = config
        self.layout = [(name, value.shape) for name, value in _float_state(MLP(config.shape)).items()]
        flat_state = torch.zeros(len(config.seeds), sum(shape.numel() for _, shape in self.layout))
        if networks is not None:
            flat_state = torch.stack(
                [torch.cat([value.reshape(-1) for value in _float_state(net).values()]) for net in networks]
            )
        self.flat_state = nn.Parameter(flat_state)

    def __len__(self) -> int:
        return len(self.config.seeds)

    def parts(self, flat_state: Tensor) -> dict[str, Tensor]:
        """Return views of a flat state (N, numbers), each (N, *shape), by the names in an `MLP`'s state."""
        found, start = {}, 0
        for name, shape in self.layout:
            found[name] = flat_state[:, start : start + shape.numel()].unflatten(1, shape)
            start += shape.numel()
        return found

    def member(self, k: int) -> MLP:
        """Return the k-th member as a network of its own, in evaluation mode."""
        network = MLP(self.config.shape).to(self.flat_state)
        own = {name: part[0] for name, part in self.parts(self.flat_state.detach()[k : k + 1]).items()}
        network.load_state_dict(network.state_dict() | own)
        return network.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (N, rows, n_outputs) of inputs (rows, n_inputs) that all members read."""
        return members_forward(self.config.shape, self.parts(self.flat_state), x.expand(len(self), *x.shape))


def _float_state(network: MLP) -> dict[str, Tensor]:
    """Return a network's floating-point state; its counts of batches are not part of what it computes."""
    return {name: value for name, value in network.state_dict().items() if value.is_floating_point()}


def members_forward(
    shape: MLPConfig,
    parts: dict[str, Tensor],
    x: Tensor,
    dropout_masks: DropoutMasks | None = None,
    learning: bool = False,
) -> Tensor:
    """Return outputs (N, rows, n_outputs) of inputs (N, rows, n_inputs).

    Args:
        shape: of each member.
        parts: parameters and running statistics by name, each (N, *shape).
        x: the inputs.
        dropout_masks: what is dropped; None for nothing.
        learning: standardise over the batch, and move the running statistics in place.
    """
    if dropout_masks is None:
        dropout_masks = DropoutMasks([None] * (len(shape.activations) + 1), [None] * len(shape.activations))
    for k, name in enumerate(shape.activations):
        x = _masked(x, dropout_masks.units[k])
        x = _linear(
            x, parts[f"hidden.{k}.weight"], parts.get(f"hidden.{k}.bias"), dropout_masks.connections[k]
        )
        if shape.normalization != "none":
            own = {n.split(".")[2]: part for n, part in parts.items() if n.startswith(f"normalizations.{k}.")}
            x = _layer_norm(x, own) if shape.normalization == "layer" else _batch_norm(x, own, learning)
        x = _activate(name, x, parts.get(f"activations.{k}.weight"), shape.leaky_slope)
    x = _linear(_masked(x, dropout_masks.units[-1]), parts["output.weight"], parts["output.bias"], None)
    return x.exp() if shape.output == "exponential" else x


def sample_dropout_masks(
    shape: MLPConfig, n_rows: int, rngs: Sequence[torch.Generator], like: Tensor
) -> DropoutMasks | None:
    """Sample each member's masks with its own random generator, in the order in which an `MLP` does.

    Args:
        shape: of each member.
        n_rows: of a batch.
        rngs: one for each member.
        like: a tensor on the masks' device, of their type.
    """
    rates, connected = shape.dropout_rates, shape.dropconnect
    if not any(rates) and not connected:
        return None
    sizes = (shape.n_inputs, *shape.hidden_sizes)
    units: list[list[Tensor]] = [[] for _ in sizes]
    connections: list[list[Tensor]] = [[] for _ in sizes[1:]]
    for rng in rngs:
        for k, (size, rate) in enumerate(zip(sizes, rates, strict=True)):
            if rate:
                units[k].append(dropout_mask(like, (n_rows, size), rate, rng))
            if connected and k < len(connections):
                weight = (sizes[k + 1], size)
                masks = weight if shape.dropconnect_masks == "batch" else (n_rows, *weight)
                connections[k].append(dropout_mask(like, masks, connected, rng))
    return DropoutMasks(
        *([torch.stack(each) if each else None for each in found] for found in (units, connections))
    )


def _masked(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None, mask: Tensor | None) -> Tensor:
    """Return x W' + b of each member, (N, rows, m), its connections times the mask."""
    if mask is not None and mask.dim() == 4:
        outputs = torch.einsum("kbmn,kbn->kbm", mask * weight[:, None], x)
        return outputs if bias is None else outputs + bias[:, None]
    if bias is None:
        return torch.bmm(x, _masked(weight, mask).mT)
    return torch.baddbmm(bias[:, None], x, _masked(weight, mask).mT)


def _layer_norm(x: Tensor, own: dict[str, Tensor]) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:]) * own["weight"][:, None] + own["bias"][:, None]


def _batch_norm(x: Tensor, own: dict[str, Tensor], learning: bool) -> Tensor:
    """Standardise each member's units as units of one wide layer."""
    n, rows, units = x.shape
    mean, variance = (own[name].detach().reshape(-1) for name in ("running_mean", "running_var"))
    weight, bias = (own[name].reshape(-1) for name in ("weight", "bias"))
    wide = x.transpose(0, 1).reshape(rows, n * units)
    wide = functional.batch_norm(wide, mean, variance, weight, bias, training=learning)
    return wide.view(rows, n, units).transpose(0, 1)


def _activate(name: str, x: Tensor, negative_slope: Tensor | None, leaky_slope: float) -> Tensor:
    if name == "linear":
        return x
    if name == "prelu":
        assert negative_slope is not None
        return torch.where(x > 0, x, negative_slope[:, None].to(x.dtype) * x)
    if name == "leaky_relu":
        return functional.leaky_relu(x, leaky_slope)
    if name in ("sigmoid", "tanh"):
        return getattr(torch, name)(x)
    return getattr(functional, name)(x)
