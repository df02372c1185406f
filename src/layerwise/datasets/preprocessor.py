"""A fitted preprocessor in the catalog: JSON and a skops file, which run no code when they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.datasets.previews import JSONPreview
from layerwise.datasets.stored import StoredDataset

if TYPE_CHECKING:
    from layerwise.data.preprocessing import Preprocessor

# What Kedro-Viz shows of a list or a mapping.
ITEMS = 10


class PreprocessorDataset(StoredDataset["Preprocessor"]):
    """A fitted preprocessor: scalers, encoders, imputed values, class names.

    Its folder holds `preprocessor.json` and, for tables, `fitted.skops`.
    """

    MARK = "preprocessor.json"

    def _read(self, path: Path) -> Preprocessor:
        from layerwise.data.preprocessing import load_preprocessor

        return load_preprocessor(path)

    def _write(self, data: Preprocessor, path: Path) -> None:
        from layerwise.data.preprocessing import save_preprocessor

        save_preprocessor(data, path)

    def preview(self) -> JSONPreview:
        """Return what was fitted, long lists cut, for Kedro-Viz."""
        return JSONPreview(json.dumps(_cut(json.loads((self._local_path() / self.MARK).read_text()))))


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
