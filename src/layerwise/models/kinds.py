"""The kinds of networks that can be saved and read: each class registers itself with its config."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import nn

from layerwise.utils import Config, Registry

Network = TypeVar("Network", bound=nn.Module)
# By `kind`: the config, and the network that is made of one.
KINDS: Registry[tuple[type[Config], type[nn.Module]]] = Registry(
    "kind of network", "layerwise.models", "layerwise.networks"
)


def goes_both_ways(network: nn.Module) -> bool:
    """Return whether a network encodes rows and makes them again from what it encoded."""
    return hasattr(network, "encode_and_reconstruct")


def register_network(config: type[Config]) -> Callable[[type[Network]], type[Network]]:
    """Return a class decorator: networks of the class are saved under their config's `kind`, and read again.

    Args:
        config: its field `kind` has a default, the kind's name; the network takes a config as its first argument.
    """

    def register(network: type[Network]) -> type[Network]:
        KINDS.add(config.model_fields["kind"].default, (config, network))
        return network

    return register
