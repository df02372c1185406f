"""A network in the catalog: safetensors and JSON in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError
from torch import nn

from layerwise.datasets.previews import JSONPreview
from layerwise.models import load_network, save_network


class NetworkDataset(AbstractDataset[nn.Module, nn.Module]):
    """A torch network that carries its configuration.

    Args:
        filepath: the folder that holds `network.safetensors` and `network.json`.
        metadata: for plugins; not used here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> nn.Module:
        """Return the network in evaluation mode."""
        try:
            return load_network(self._filepath)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{self._filepath} holds no network that can be read: {error}") from error

    def save(self, data: nn.Module) -> None:
        """Write the network; the files appear whole or not at all."""
        save_network(data, self._filepath)

    def preview(self) -> JSONPreview:
        """Return the network's shape, for Kedro-Viz."""
        return JSONPreview((self._filepath / "network.json").read_text())

    def _exists(self) -> bool:
        return (self._filepath / "network.json").exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
