"""A fitted preprocessor in the catalog: JSON and a skops file, which run no code when they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from layerwise.datasets.previews import JSONPreview

if TYPE_CHECKING:
    from layerwise.data.preprocessing import Preprocessor

# What Kedro-Viz shows of a list or a mapping.
ITEMS = 10


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

    def preview(self) -> JSONPreview:
        """Return what was fitted, long lists cut, for Kedro-Viz."""
        return JSONPreview(json.dumps(_cut(json.loads((self._filepath / "preprocessor.json").read_text()))))

    def _exists(self) -> bool:
        return (self._filepath / "preprocessor.json").exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _cut(value: Any) -> Any:
    """Return JSON values with no more than the first `ITEMS` of a list or a mapping, and how many there are."""
    if not isinstance(value, (dict, list)):
        return value
    n, rest = len(value), f"{len(value)} in all"
    if isinstance(value, list):
        return [_cut(each) for each in value[:ITEMS]] + [rest] * (n > ITEMS)
    return {key: _cut(each) for key, each in list(value.items())[:ITEMS]} | (
        {"...": rest} if n > ITEMS else {}
    )
