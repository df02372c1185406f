"""Metrics by name, and by model and name, as they stand in the catalog."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping

from pydantic import ConfigDict, RootModel

from layerwise.evaluation.metrics.logged import LoggedMetrics, metric_name
from layerwise.evaluation.metrics.supervised import Metric


class NamedMetrics(RootModel[dict[str, Metric]]):
    """The metrics of one model by their names; in JSON the mapping alone."""

    model_config = ConfigDict(frozen=True)

    def __getitem__(self, name: str) -> Metric:
        return self.root[name]

    def __contains__(self, name: str) -> bool:
        return name in self.root

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)

    def items(self) -> ItemsView[str, Metric]:
        """Return the names with their metrics."""
        return self.root.items()

    def extended(self, others: Mapping[str, Metric], *, prefix: str) -> NamedMetrics:
        """Return these metrics and others, whose names get the prefix."""
        named = {prefix + name: m.model_copy(update={"name": prefix + name}) for name, m in others.items()}
        return NamedMetrics(self.root | named)

    def logged(self, prefix: str) -> LoggedMetrics:
        """Return the values under the prefix and their names."""
        return LoggedMetrics.of({name: metric.value for name, metric in self.items()}, prefix=prefix)


class MetricsByModel(RootModel[dict[str, NamedMetrics]]):
    """The metrics of several models, or of one on several views of the rows, by their names."""

    model_config = ConfigDict(frozen=True)

    def __getitem__(self, name: str) -> NamedMetrics:
        return self.root[name]

    def __contains__(self, name: str) -> bool:
        return name in self.root

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)

    def items(self) -> ItemsView[str, NamedMetrics]:
        """Return the models with their metrics."""
        return self.root.items()

    def logged(self, prefix: str) -> LoggedMetrics:
        """Return the values under the prefix, the model's name as MLflow accepts it, and their names."""
        rows = [found.logged(f"{prefix}{metric_name(model)}/") for model, found in self.items()]
        return LoggedMetrics(tuple(row for part in rows for row in part))
