"""Networks on disk: weights as safetensors, shape as JSON. Nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from layerwise.models.kinds import KINDS
from layerwise.utils import Config, atomic_write


def save_network(network: nn.Module, folder: str | Path) -> None:
    """Write `network.safetensors` and `network.json` into a folder; each appears whole or not at all."""
    folder = Path(folder)
    config: Config = network.config  # type: ignore[assignment]
    weights = {name: value.detach().contiguous().cpu() for name, value in network.state_dict().items()}
    # Neither takes its name before both are written: a full disk leaves the old pair, not half of each.
    with (
        atomic_write(folder / "network.json") as shape,
        atomic_write(folder / "network.safetensors") as values,
    ):
        save_file(weights, values)
        shape.write_text(config.model_dump_json(indent=2))


def load_network(folder: str | Path) -> nn.Module:
    """Read a network that `save_network` wrote, in evaluation mode.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the kind is unknown, the weights are corrupt or do not fit the shape.
    """
    folder = Path(folder)
    shape = json.loads((folder / "network.json").read_text())
    try:
        config_class, network_class = KINDS.find(str(shape.get("kind")))
    except ValueError as error:
        raise ValueError(f"{folder / 'network.json'}: {error}") from error
    network = network_class(config_class(**shape))
    try:
        weights = load_file(folder / "network.safetensors")
    except SafetensorError as error:
        raise ValueError(f"{folder / 'network.safetensors'} is corrupt: {error}") from error
    try:
        network.load_state_dict(weights)
    except (RuntimeError, KeyError) as error:
        raise ValueError(f"{folder}: the weights do not fit the shape in network.json: {error}") from error
    return network.eval()
