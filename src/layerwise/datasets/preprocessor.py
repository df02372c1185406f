"""A fitted preprocessor in the catalog: JSON and a skops file, which run no code when they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

if TYPE_CHECKING:
    from layerwise.data.preprocessing import Preprocessor


class PreprocessorDataset(AbstractDataset["Preprocessor", "Preprocessor"]):
    """A fitted preprocessor: scalers, encoders, imputed values, class names.

    Args:
        filepath: the folder that holds `preprocessor.json` and, for tables, `fitted.skops`.
        metadata: for plugins; not used here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Preprocessor:
        """Return the fitted preprocessor."""
        from layerwise.data.preprocessing import load_preprocessor

        return load_preprocessor(self._filepath)

    def save(self, data: Preprocessor) -> None:
        """Write the fitted preprocessor."""
        from layerwise.data.preprocessing import save_preprocessor

        save_preprocessor(data, self._filepath)

    def _exists(self) -> bool:
        return (self._filepath / "preprocessor.json").exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
