"""Several models on the same folds: who is ahead, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean

from layerwise.data import Task
from layerwise.evaluation.metrics import ChildRun, LoggedMetrics, metric_name
from layerwise.evaluation.reports.cross_validation import (
    INTERVAL,
    CrossValidation,
    Fold,
    FoldStatistic,
    corrected_interval,
)
from layerwise.utils import Config, UserError

# What decides, by task: the first one that all models have.
DECIDING: dict[Task, tuple[str, ...]] = {
    "binary": ("roc_auc", "log_loss"),
    "multiclass": ("error",),
    "multilabel": ("roc_auc", "log_loss"),
    "regression": ("rmse",),
}
SHOWN = ("error", "roc_auc", "log_loss", "rmse", "mae", "r2")


class Standing(Config):
    """One model: its folds, the means over them, and how far it is behind the first one on the same folds.

    `behind` is positive where it is worse; None of the first one. A model that had no time for as many folds as the
    others has no rank.
    """

    model: str
    rank: int | None
    folds: tuple[Fold, ...]
    statistics: dict[str, FoldStatistic]
    behind: float | None = None
    behind_low: float | None = None
    behind_high: float | None = None

    @property
    def seconds(self) -> float:
        """What a fold took on average."""
        return fmean(each.seconds for each in self.folds) if self.folds else 0.0

    @property
    def is_as_good(self) -> bool:
        """Whether its distance to the first one may be chance."""
        return self.behind_low is not None and self.behind_low <= 0


class Leaderboard(Config):
    """The standings, the best one first, by the mean of one metric over the folds that all have in common."""

    problem: str
    metric: str
    n_folds: int
    standings: tuple[Standing, ...]

    @classmethod
    def of(cls, problem: str, task: Task, folds: Mapping[str, Sequence[Fold]], n_folds: int) -> Leaderboard:
        """Return the standings.

        Args:
            problem: its name.
            task: what is predicted, which decides the metric.
            folds: what each model has done, in the order of the folds.
            n_folds: how many there are.

        Raises:
            ValueError: no model has two folds.
        """
        done = max(map(len, folds.values()))
        if done < 2:
            raise ValueError("no model has measured two folds")
        whole = {model: list(each) for model, each in folds.items() if len(each) == done}
        metric = next(
            name for name in DECIDING[task] if all(name in f.metrics for each in whole.values() for f in each)
        )
        higher = next(iter(whole.values()))[0].better[metric] == "higher"
        means = {model: fmean(f.metrics[metric] for f in each) for model, each in whole.items()}
        ranked = sorted(means, key=lambda model: -means[model] if higher else means[model])
        found = [_standing(model, k + 1, whole, ranked[0], metric, higher) for k, model in enumerate(ranked)]
        for model, each in folds.items():
            if model not in whole:
                statistics = CrossValidation.of(each).statistics if len(each) > 1 else {}
                found.append(Standing(model=model, rank=None, folds=tuple(each), statistics=statistics))
        return cls(problem=problem, metric=metric, n_folds=n_folds, standings=tuple(found))

    @property
    def winner(self) -> str:
        """The model with the best mean."""
        return self.standings[0].model

    def section(self, model: str) -> str:
        """Return the section of a model's card: the means over the folds that it has done.

        Raises:
            UserError: the model was not compared, or has done one fold only.
        """
        own = next((each for each in self.standings if each.model == model and each.statistics), None)
        if own is None:
            raise UserError(
                f"compare.on_card: the last comparison of {self.problem} has no folds of {model}; run kedro compare "
                "with it, or leave compare.on_card at false"
            )
        return CrossValidation(folds=own.folds, statistics=own.statistics).section()

    @property
    def child_runs(self) -> tuple[ChildRun, ...]:
        """Each model as a run below the run: its metrics by fold, and their means."""
        return tuple(
            ChildRun(
                name=each.model,
                parameters={"model": each.model, "folds": str(len(each.folds))},
                metrics=_metrics(each),
                seconds=sum(fold.seconds for fold in each.folds),
            )
            for each in self.standings
        )

    @property
    def logged_metrics(self) -> LoggedMetrics:
        """The mean of the metric that decides, by model, as `compare/<model>/<metric>`."""
        return LoggedMetrics.of(
            {
                f"{metric_name(each.model)}/{self.metric}": each.statistics[self.metric].mean
                for each in self.standings
                if self.metric in each.statistics
            },
            prefix="compare/",
        )

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the cells of the table."""
        shown = [name for name in SHOWN if any(name in each.statistics for each in self.standings)]
        shown.sort(key=lambda name: name != self.metric)
        head = ["rank", "model", *shown, f"behind in {self.metric}", "folds", "seconds a fold"]
        cells = []
        for each in self.standings:
            means = [str(each.statistics[name]) if name in each.statistics else "" for name in shown]
            behind = ""
            if each.behind is not None:
                behind = f"{each.behind:.4f} [{each.behind_low:.4f}, {each.behind_high:.4f}]"
            rank = "" if each.rank is None else str(each.rank)
            done = f"{len(each.folds)} of {self.n_folds}"
            cells.append([rank, each.model, *means, behind, done, f"{each.seconds:.1f}"])
        return head, cells

    def conclusion(self) -> str:
        """Return in a sentence or two who is ahead, and of whom that may be chance."""
        first = self.standings[0]
        found = f"{first.model} is first: {self.metric} {first.statistics[self.metric]}."
        equal = [each.model for each in self.standings[1:] if each.is_as_good]
        if equal:
            found += f" The distance to {', '.join(equal)} may be chance."
        late = [each.model for each in self.standings if each.rank is None]
        if late:
            found += f" No rank, for want of time: {', '.join(late)}."
        return found

    def html(self) -> str:
        """Return a page of its own with the table, which needs nothing from elsewhere."""
        head, cells = self.rows()
        top = "".join(f"<th>{escape(each)}</th>" for each in head)
        body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in cells)
        return PAGE.format(
            problem=escape(self.problem),
            conclusion=escape(self.conclusion()),
            head=top,
            body=body,
            intervals=self._intervals(),
            note=escape(
                f"Means over {self.n_folds} folds, each model with the same rows in each; {INTERVAL}. Behind: the mean "
                "difference to the first model on the same folds. A fold's test rows chose nothing, and the winner was "
                "chosen by their mean: its own mean is a little better than it will be on new rows."
            ),
        )

    def _intervals(self) -> str:
        """Return a drawing of the means and intervals of the metric that decides."""
        known = [(each.model, each.statistics[self.metric]) for each in self.standings if each.statistics]
        low, high = min(of.low for _, of in known), max(of.high for _, of in known)
        scale = 400 / ((high - low) or 1)
        lines = []
        for k, (model, of) in enumerate(known):
            y = 20 + 28 * k
            start, mean, end = (130 + scale * (value - low) for value in (of.low, of.mean, of.high))
            lines.append(
                f'<text x="120" y="{y + 4}" text-anchor="end">{escape(model)}</text>'
                f'<line x1="{start:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}" stroke="#3b6ea5" stroke-width="2"/>'
                f'<circle cx="{mean:.1f}" cy="{y}" r="4.5" fill="#3b6ea5"/>'
            )
        height = 28 * len(known) + 40
        axis = (
            f'<text x="130" y="{height - 6}">{low:.4f}</text>'
            f'<text x="530" y="{height - 6}" text-anchor="end">{high:.4f}</text>'
        )
        label = escape(f"{self.metric} of each model, with its interval")
        return (
            f'<svg role="img" aria-label="{label}" viewBox="0 0 560 {height}" width="560">'
            f"{''.join(lines)}{axis}</svg>"
        )


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Models of {problem}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .35rem .7rem; text-align: left; white-space: nowrap; }}
tbody tr:first-child {{ font-weight: 600; background: #f2f6fa; }}
svg text {{ font: 13px system-ui, sans-serif; fill: #222; }}
.table {{ overflow-x: auto; }}
</style></head><body>
<h1>Models of {problem}</h1>
<p>{conclusion}</p>
<div class="table"><table><thead><tr>{head}</tr></thead><tbody>
{body}
</tbody></table></div>
{intervals}
<p>{note}</p>
</body></html>
"""


def _standing(
    model: str, rank: int, whole: Mapping[str, Sequence[Fold]], first: str, metric: str, higher: bool
) -> Standing:
    folds = whole[model]
    statistics = CrossValidation.of(folds).statistics
    if model == first:
        return Standing(model=model, rank=rank, folds=tuple(folds), statistics=statistics)
    pairs = zip(folds, whole[first], strict=True)
    sign = -1 if higher else 1
    differences = [sign * (own.metrics[metric] - best.metrics[metric]) for own, best in pairs]
    low, high = corrected_interval(differences, fmean(each.test_ratio for each in folds))
    return Standing(
        model=model,
        rank=rank,
        folds=tuple(folds),
        statistics=statistics,
        behind=fmean(differences),
        behind_low=low,
        behind_high=high,
    )


def _metrics(standing: Standing) -> LoggedMetrics:
    by_fold = LoggedMetrics(())
    for k, fold in enumerate(standing.folds):
        by_fold += LoggedMetrics.of(fold.metrics, prefix="fold/", step=k + 1)
    means = {name: of.mean for name, of in standing.statistics.items()}
    return by_fold + LoggedMetrics.of(means, prefix="test/")
