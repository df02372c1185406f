"""The report of a trained network's evaluation, as it stands in the catalog: metrics, baselines, conclusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from layerwise.evaluation import SegmentTable, describe_segments
from layerwise.evaluation.metrics import (
    ConformalIntervals,
    ImportanceTable,
    LoggedMetrics,
    Metric,
    MetricsByModel,
    NamedMetrics,
    Smearing,
    SmearingFactors,
    compare_with_constant,
)
from layerwise.utils import Config


class Spread(Config):
    """Mean and standard deviation of a metric over networks that differ in their seeds; one network has none."""

    mean: float
    std: float | None


class MemberStatistics(Config):
    """The spread of each metric over so many networks."""

    n_members: int
    spreads: dict[str, Spread]

    @classmethod
    def of(cls, found: Sequence[Mapping[str, Metric]]) -> MemberStatistics:
        """Return the statistics of the metrics that every network has."""
        values = {
            name: [each[name].value for each in found] for name in found[0] if all(name in e for e in found)
        }
        spreads = {
            name: Spread(
                mean=float(np.mean(each)), std=float(np.std(each, ddof=1)) if len(found) > 1 else None
            )
            for name, each in values.items()
        }
        return cls(n_members=len(found), spreads=spreads)

    def __str__(self) -> str:
        if self.n_members == 1:
            return "There is one network, so that no metric has a standard deviation over seeds."
        shown = ", ".join(f"{name} {of.mean:.4f} +- {of.std:.4f}" for name, of in self.spreads.items())
        return f"{self.n_members} networks of other seeds, mean and standard deviation: {shown}."


class BaselineComparison(Config):
    """The baselines' metrics on the test rows, and a sentence for each on which the network loses to one of them.

    `notes` say of how many rows they are, where these are not all.
    """

    metrics: MetricsByModel
    conclusions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class EvaluationReport(Config):
    """What is known of a network after its evaluation on the test rows.

    `threshold` is the score from which a row of a binary task is predicted positive; `smearing` makes means of the
    outputs of a regression of a transformed target; `intervals` come with a regression's predictions; `conclusions`
    compare the network with a constant and with its baselines;
    `notes` are further sentences; `members` is the spread over networks of other seeds, `segments` the metrics on parts
    of the rows, `importance` the metric's loss without each raw column.
    """

    threshold: float = 0.5
    smearing: Smearing = ()
    intervals: ConformalIntervals | None = None
    network: NamedMetrics
    baselines: MetricsByModel = MetricsByModel({})
    conclusions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    members: dict[str, Spread] = Field(default_factory=dict)
    segments: SegmentTable = SegmentTable(())
    importance: ImportanceTable = ImportanceTable(())

    @classmethod
    def of(
        cls,
        network: NamedMetrics,
        threshold: float = 0.5,
        baselines: BaselineComparison | None = None,
        members: MemberStatistics | None = None,
        smearing: SmearingFactors | None = None,
        segments: SegmentTable | None = None,
        intervals: ConformalIntervals | None = None,
    ) -> EvaluationReport:
        """Return the report with its conclusions."""
        by_segment = SegmentTable(()) if segments is None else segments
        others = BaselineComparison(metrics=MetricsByModel({})) if baselines is None else baselines
        return cls(
            threshold=threshold,
            network=network,
            intervals=intervals,
            smearing=() if smearing is None else smearing.values,
            baselines=others.metrics,
            conclusions=(
                *compare_with_constant(network.root),
                *others.conclusions,
                *describe_segments(by_segment),
            ),
            segments=by_segment,
            notes=(*(() if members is None else (str(members),)), *others.notes),
            members={} if members is None else members.spreads,
        )

    def logged(self) -> LoggedMetrics:
        """Return the values under the names that they have in MLflow, `test/...`."""
        spreads = {
            f"{name}_{part}": value
            for name, of in self.members.items()
            for part, value in (("mean", of.mean), ("std", of.std))
            if value is not None
        }
        return (
            self.network.logged("test/")
            + self.baselines.logged("test/")
            + LoggedMetrics.of(spreads, prefix="test/")
        )
