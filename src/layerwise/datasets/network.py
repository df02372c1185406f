"""A network in the catalog: safetensors and JSON in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import DatasetError
from torch import nn

from layerwise.datasets.previews import JSONPreview
from layerwise.datasets.stored import StoredDataset
from layerwise.models import load_network, save_network


class NetworkDataset(StoredDataset[nn.Module]):
    """A torch network that carries its configuration.

    Args:
        filepath: the folder that holds `network.safetensors` and `network.json`; on this computer.
        metadata: for plugins; not used here.
    """

    MARK = "network.json"

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        if self._location.is_remote:
            raise DatasetError(
                f"{filepath}: networks stay on this computer, where a run goes on with them: name a folder below "
                "data/. MLflow keeps the trained models elsewhere, where LAYERWISE_ARTIFACTS says"
            )

    def _read(self, path: Path) -> nn.Module:
        try:
            return load_network(path)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{self._location} holds no network that can be read: {error}") from error

    def _write(self, data: nn.Module, path: Path) -> None:
        save_network(data, path)

    def preview(self) -> JSONPreview:
        """Return the network's shape, for Kedro-Viz."""
        return JSONPreview((self._local_path() / self.MARK).read_text())
