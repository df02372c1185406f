"""Typed objects in the catalog: pydantic models as JSON, the metrics of a node among them."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import DatasetError
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from layerwise.datasets.kept import LastRead
from layerwise.datasets.previews import JSONPreview, TablePreview, table_preview
from layerwise.datasets.stored import StoredDataset
from layerwise.utils import atomic_write

if TYPE_CHECKING:
    from layerwise.evaluation.metrics import LoggedMetrics


class TypedDataset(StoredDataset[Any]):
    """A pydantic model, written as JSON and read as what it was.

    What is saved may be a function without arguments that returns the model, where it is not known before the outputs
    that stand before it are written.

    Args:
        model: the model's class by its public name, such as `layerwise.data.DataSpec`. It is imported when something
            is read or written, since the catalog is built at every start.
        stored: what `StoredDataset` takes.
    """

    def __init__(self, *, model: str, **stored: Any) -> None:
        super().__init__(**stored)
        self._model = model
        self._last: LastRead[Any] = LastRead()

    def load(self) -> Any:
        """Return the model; a frozen one is read once of a file, until the runner needs it no longer."""
        path = self._local_path()
        if not (path.is_file() and self._class().model_config.get("frozen")):
            return self._read(path)
        return self._last.of(path, lambda: self._read(path))

    def release(self) -> None:
        """Keep nothing that was read."""
        self._last.forget()
        super().release()

    def _read(self, path: Path) -> Any:
        try:
            return self._class().model_validate(json.loads(path.read_bytes()))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise DatasetError(
                f"{self._location} holds no {self._model}: {place + ': ' if place else ''}{first['msg']}"
            ) from error
        except (OSError, ValueError) as error:
            raise DatasetError(f"{self._location} cannot be read: {error}") from error

    def _write(self, data: Any, path: Path) -> None:
        data = data() if callable(data) else data
        if not isinstance(data, self._class()):
            raise DatasetError(f"{self._location} is for {self._model}, not for {type(data).__name__}")
        with atomic_write(path) as part:
            # What is no number is written as text, `NaN` or `Infinity`, which reads back as what it was.
            part.write_bytes(to_json(data.model_dump(mode="json"), indent=2, inf_nan_mode="strings"))

    def preview(self) -> JSONPreview:
        """Return the JSON, for Kedro-Viz."""
        return JSONPreview(self._local_path().read_text(encoding="utf-8"))

    def _class(self) -> type[BaseModel]:
        module, _, name = self._model.rpartition(".")
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise DatasetError(f"there is no class {self._model}: {error}") from error
        if not (isinstance(found, type) and issubclass(found, BaseModel)):
            raise DatasetError(f"{self._model} is no pydantic model")
        return found

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "model": self._model}


class MetricsDataset(TypedDataset):
    """The metrics of a node, which the tracking hook logs when they are saved: rows of name, value and step as JSON."""

    def __init__(self, **stored: Any) -> None:
        super().__init__(model="layerwise.evaluation.metrics.LoggedMetrics", **stored)

    def preview(self) -> TablePreview:  # type: ignore[override]
        """Return the rows as a table, for Kedro-Viz."""
        metrics: LoggedMetrics = self.load()
        return table_preview(("name", "value", "step"), [(row.name, row.value, row.step) for row in metrics])
