"""The kinds of networks that can be saved and read: each class registers itself with its config."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import nn

from layerwise.utils import Config, import_registrants, nearest

Network = TypeVar("Network", bound=nn.Module)
# By `kind`: the config, and the network that is made of one.
_KINDS: dict[str, tuple[type[Config], type[nn.Module]]] = {}
ENTRY_POINTS = "layerwise.networks"


def register_network(config: type[Config]) -> Callable[[type[Network]], type[Network]]:
    """Return a class decorator: networks of the class are saved under their config's `kind`, and read again.

    Args:
        config: its field `kind` has a default, the kind's name; the network takes a config as its first argument.
    """

    def register(network: type[Network]) -> type[Network]:
        _KINDS[config.model_fields["kind"].default] = (config, network)
        return network

    return register


def known_kinds() -> list[str]:
    """Return the name of every kind in `layerwise.models` and in the entry points `layerwise.networks`."""
    import_registrants("layerwise.models", ENTRY_POINTS)
    return sorted(_KINDS)


def find_kind(kind: str) -> tuple[type[Config], type[nn.Module]]:
    """Return the config and the network of a kind.

    Raises:
        ValueError: no class is registered under that name.
    """
    if kind not in _KINDS and kind not in (known := known_kinds()):
        raise ValueError(f"unknown kind of network '{kind}'{nearest(kind, known)}")
    return _KINDS[kind]
