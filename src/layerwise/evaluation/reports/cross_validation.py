"""The report of a cross-validation: each fold, and the mean of every metric with its interval.

Folds share training rows, so that their metrics vary less than those of independent data would: the interval of a mean
is the corrected resampled t (Nadeau & Bengio 2003; Bouckaert & Frank 2004), whose variance of the mean of J folds is
(1/J + n_test / n_rest) s^2, with s^2 that of the folds and J - 1 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Literal

from layerwise.evaluation.metrics import (
    BOUNDED_METRICS,
    FRACTIONS_OF_ROWS,
    ChildRun,
    LoggedMetric,
    LoggedMetrics,
    Metric,
    student_factor,
)
from layerwise.evaluation.reports.markdown import table
from layerwise.utils import Config

INTERVAL = "95 % intervals by the corrected resampled t (Nadeau & Bengio 2003)"
# What no mean goes beyond, where it has bounds.
FRACTIONS = FRACTIONS_OF_ROWS | BOUNDED_METRICS | {"calibration_error", "interval_coverage"}
AT_MOST_1 = FRACTIONS | {"r2", "raw_r2"}
NOT_NEGATIVE = FRACTIONS | {"log_loss", "brier", "rmse", "mae", "raw_rmse", "raw_mae", "interval_width"}
HEADLINES = ("error", "roc_auc", "rmse", "r2")


class Fold(Config):
    """One fold: how many rows each part had, what was measured on its test rows, and its curves.

    `metrics` are by name; `epochs` have the epoch as their step.
    """

    name: str
    n_training: int
    n_validation: int
    n_test: int
    seconds: float
    metrics: dict[str, float]
    better: dict[str, Literal["higher", "lower"]]
    epochs: LoggedMetrics = LoggedMetrics(())

    def __str__(self) -> str:
        return ", ".join(f"{name} {self.metrics[name]:.4f}" for name in HEADLINES if name in self.metrics)

    @property
    def test_ratio(self) -> float:
        """The test rows for each other row."""
        return self.n_test / (self.n_training + self.n_validation)


class FoldStatistic(Config):
    """Mean and standard deviation of a metric over the folds, and the 95 % interval of its mean."""

    mean: float
    std: float
    low: float
    high: float
    better: Literal["higher", "lower"]

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def corrected_interval(values: Sequence[float], test_ratio: float) -> tuple[float, float]:
    """Return the 95 % interval of the mean of a metric over folds, by the corrected resampled t.

    Args:
        values: of the folds, two at least.
        test_ratio: the test rows of a fold for each of its other rows.
    """
    n = len(values)
    half = student_factor(n) * sqrt(1 / n + test_ratio) * stdev(values)
    return fmean(values) - half, fmean(values) + half


class CrossValidation(Config):
    """What a cross-validation found; a metric that a fold lacks, such as an AUC of one class, has no mean."""

    folds: tuple[Fold, ...]
    statistics: dict[str, FoldStatistic]

    @classmethod
    def of(cls, folds: Sequence[Fold]) -> CrossValidation:
        """Return the report of these folds."""
        ratio = fmean(each.test_ratio for each in folds)
        found = {
            name: _statistic(name, [each.metrics[name] for each in folds], ratio, folds[0].better[name])
            for name in folds[0].metrics
            if all(name in each.metrics for each in folds)
        }
        return cls(folds=tuple(folds), statistics=found)

    @property
    def child_runs(self) -> tuple[ChildRun, ...]:
        """Each fold as a run below the run."""
        return tuple(
            ChildRun(
                name=each.name,
                parameters={
                    "fold": each.name,
                    "training_rows": str(each.n_training),
                    "validation_rows": str(each.n_validation),
                    "test_rows": str(each.n_test),
                },
                metrics=each.epochs + LoggedMetrics.of(each.metrics, prefix="test/"),
                seconds=each.seconds,
            )
            for each in self.folds
        )

    @property
    def logged_metrics(self) -> LoggedMetrics:
        """The mean, the deviation and the interval of every metric, as `folds/<metric>_mean` and so on."""
        return LoggedMetrics.of(
            {
                f"{name}_{part}": value
                for name, of in self.statistics.items()
                for part, value in (("mean", of.mean), ("std", of.std), ("low", of.low), ("high", of.high))
            },
            prefix="folds/",
        )

    def __str__(self) -> str:
        shown = ", ".join(f"{name} {self.statistics[name]}" for name in HEADLINES if name in self.statistics)
        return f"{len(self.folds)} folds: {shown} (mean with its 95 % interval)"

    def section(self) -> str:
        """Return the section of a model card."""
        rows = [[name, of.better, str(of), f"{of.std:.4f}"] for name, of in self.statistics.items()]
        own = {each.n_test for each in self.folds}
        n_test = f"{min(own):,} to {max(own):,}" if len(own) > 1 else f"{min(own):,}"
        return "\n\n".join(
            [
                "## Cross-validation",
                f"Means over {len(self.folds)} networks, each trained without the {n_test} test rows of its fold, "
                f"which chose nothing; {INTERVAL}. They are of networks trained in this way, not of this one alone.",
                table(["metric", "better", "mean [95 % interval]", "standard deviation of the folds"], rows),
            ]
        )


def make_fold(
    name: str,
    sizes: tuple[int, int, int],
    seconds: float,
    metrics: Mapping[str, Metric],
    epochs: Iterable[tuple[Mapping[str, float], int | None]],
) -> Fold:
    """Return a fold's report.

    Args:
        name: of the fold.
        sizes: its training, validation and test rows.
        seconds: that it took.
        metrics: of its test rows.
        epochs: what was reported while it learned, with the epoch of each.
    """
    rows = {
        (name, step): LoggedMetric(name=name, value=value, step=step)
        for values, step in epochs
        for name, value in values.items()
    }
    return Fold(
        name=name,
        n_training=sizes[0],
        n_validation=sizes[1],
        n_test=sizes[2],
        seconds=seconds,
        metrics={name: each.value for name, each in metrics.items()},
        better={name: each.better for name, each in metrics.items()},
        epochs=LoggedMetrics(tuple(rows.values())),
    )


def _statistic(
    name: str, values: Sequence[float], test_ratio: float, better: Literal["higher", "lower"]
) -> FoldStatistic:
    low, high = corrected_interval(values, test_ratio)
    if name in NOT_NEGATIVE:
        low = max(low, 0.0)
    if name in AT_MOST_1:
        high = min(high, 1.0)
    return FoldStatistic(mean=fmean(values), std=stdev(values), low=low, high=high, better=better)
