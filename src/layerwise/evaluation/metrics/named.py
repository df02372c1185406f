"""Metrics by name, and by model and name, as they stand in the catalog."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from typing import Generic, TypeVar

from pydantic import ConfigDict, RootModel

from layerwise.evaluation.metrics.logged import LoggedMetrics, metric_name
from layerwise.evaluation.metrics.supervised import Metric

T = TypeVar("T")


class _ByName(RootModel[dict[str, T]], Generic[T]):
    """A mapping that stays as it is; in JSON the mapping alone."""

    model_config = ConfigDict(frozen=True)

    def __getitem__(self, name: str) -> T:
        return self.root[name]

    def __contains__(self, name: str) -> bool:
        return name in self.root

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)

    def items(self) -> ItemsView[str, T]:
        """Return the names with what they name."""
        return self.root.items()


class NamedMetrics(_ByName[Metric]):
    """The metrics of one model by their names."""

    def extended(self, others: Mapping[str, Metric], *, prefix: str) -> NamedMetrics:
        """Return these metrics and others, whose names get the prefix."""
        named = {prefix + name: m.model_copy(update={"name": prefix + name}) for name, m in others.items()}
        return NamedMetrics(self.root | named)

    def logged(self, prefix: str) -> LoggedMetrics:
        """Return the values under the prefix and their names."""
        return LoggedMetrics.of({name: metric.value for name, metric in self.items()}, prefix=prefix)


class MetricsByModel(_ByName[NamedMetrics]):
    """The metrics of several models, or of one on several views of the rows, by their names."""

    def logged(self, prefix: str) -> LoggedMetrics:
        """Return the values under the prefix, the model's name as MLflow accepts it, and their names."""
        rows = [found.logged(f"{prefix}{metric_name(model)}/") for model, found in self.items()]
        return LoggedMetrics(tuple(row for part in rows for row in part))
