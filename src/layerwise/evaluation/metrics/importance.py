"""Permutation importance: how much worse a network predicts when one column is shuffled (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor, nn

from layerwise.data import ColumnBlock, DataSpec, TensorData, raw_columns
from layerwise.evaluation.metrics.comparison import metric_statistics
from layerwise.evaluation.metrics.intervals import Z95
from layerwise.evaluation.metrics.resampling import Statistic, enough_resamples, resampled_values, row_counts
from layerwise.evaluation.metrics.supervised import LOWER_IS_BETTER
from layerwise.utils import Config, torch_rng

# The metric of the test rows by which a network of this task is compared.
DEFAULT_METRIC = {"multiclass": "error", "binary": "roc_auc", "multilabel": "roc_auc", "regression": "rmse"}
# More rows make the interval narrower and nothing else; so many are sampled, or fewer of a table of many columns.
MAX_ROWS, MIN_ROWS = 10_000, 2000
# Rows x columns x shuffles that a network may answer, and these x inputs of a table of many.
ANSWERS, INPUT_WORK, LEAST_ROWS = 400_000, 500_000_000, 200
# Each column is one answer more of a network that has as many inputs: the work of all of them is quadratic.
MOST_COLUMNS = 100
# Rows x columns x shuffles x resamples that the intervals may take, some ten seconds' work.
INTERVAL_WORK = 1e9
MIN_RESAMPLES = 50


class Importance(Config):
    """The metric's loss when a raw column is shuffled: mean and standard deviation over shuffles, in its own unit.

    `low` and `high` are a 95 % interval of the mean, by the chance of the rows and of the shuffles; None without
    resamples.
    """

    name: str
    mean: float
    std: float
    low: float | None = None
    high: float | None = None
    metric: str = ""


class ImportanceTable(RootModel[tuple[Importance, ...]]):
    """The importance of each raw column that was measured, the highest first."""

    model_config = ConfigDict(frozen=True)


def most_sensitive_columns(
    network: nn.Module, rows: TensorData, data_spec: DataSpec, seed: int = 0, most: int = MOST_COLUMNS
) -> tuple[str, ...]:
    """Return the raw columns, or of many those that a network's outputs change most with, in their order.

    By first order an output varies with a raw column as the root of the summed squares of its slope along each input
    of the column times the input's standard deviation. The squares are averaged over rows, and outputs have random
    signs, by which one backward pass does for all of them (Hutchinson 1990). All columns are returned of a network
    that has no slope, as a forest.

    Args:
        network: (n, d) inputs to (n, k) outputs.
        rows: of more than 2,000 so many are taken.
        data_spec: names the columns.
        seed: of the rows and the signs.
        most: how many are returned at most.
    """
    columns = raw_columns(data_spec.blocks)
    if len(columns) <= most:
        return tuple(columns)
    rng = torch_rng(seed, "importance", "slopes")
    inputs = (
        rows.inputs[torch.randperm(len(rows), generator=rng, device=rng.device)[:MIN_ROWS]]
        .detach()
        .requires_grad_()
    )
    outputs = network(inputs)
    if not outputs.requires_grad:
        return tuple(columns)
    signs = torch.randint(0, 2, outputs.shape, generator=rng, device=rng.device) * 2 - 1
    (slopes,) = torch.autograd.grad((outputs * signs.to(outputs)).sum(), inputs)
    variances = slopes.square().mean(0) * inputs.detach().var(0)
    strengths = torch.stack(
        [torch.cat([variances[b.start : b.stop] for b in of]).sum() for of in columns.values()]
    )
    chosen = set(strengths.argsort(descending=True, stable=True)[:most].tolist())
    return tuple(name for k, name in enumerate(columns) if k in chosen)


def permutation_importance(
    predict: Callable[[Tensor], Tensor],
    rows: TensorData,
    data_spec: DataSpec,
    *,
    metric: str | None = None,
    n_repeats: int = 5,
    seed: int = 0,
    n_bootstrap: int = 200,
    among: Collection[str] | None = None,
) -> list[Importance]:
    """Return the importance of each raw column, the highest first.

    What comes from one raw column is shuffled together, so that no row becomes impossible: the dummies of a category,
    the parts of a date, a number and its indicator of empty cells. Positive always means that the network needs the
    column, whether the metric is better high or low. Correlated columns divide their importance among them, and each
    can look useless alone.

    Args:
        predict: (n, d) inputs to (n, k) scores, in the unit of the targets.
        rows: with targets; of more than 2,000 so many are sampled that the network answers 400,000, and 10,000 at most;
            of a table of many inputs fewer, 200 at least.
        data_spec: names the columns and the task.
        metric: any name that `compute_metrics` returns; by default error, roc_auc (binary, multilabel) or rmse, and
            log_loss where the rows have no roc_auc.
        n_repeats: shuffles for each column.
        seed: of the shuffles and of the resamples.
        n_bootstrap: resamples of the rows for the intervals, at most; 0 leaves them out.
        among: the raw columns that are measured; None: all.

    Raises:
        ValueError: the task has no such metric.
    """
    columns = raw_columns(data_spec.blocks)
    if among is not None:
        columns = {name: blocks for name, blocks in columns.items() if name in among}
    shuffles = len(columns) * n_repeats
    by_answers = max(MIN_ROWS, ANSWERS // shuffles)
    by_inputs = max(LEAST_ROWS, INPUT_WORK // (shuffles * data_spec.n_inputs))
    rows = _sample_rows(rows, min(MAX_ROWS, by_answers, by_inputs), seed)
    counts = row_counts(rows.weights, len(rows))
    whole = _statistics(data_spec, rows, predict(rows.inputs))
    default = DEFAULT_METRIC.get(data_spec.task, "log_loss")
    name = metric or (default if default in whole else "log_loss")
    if name not in whole:
        raise ValueError(f"{data_spec.task} rows have no metric '{name}'; known: {', '.join(sorted(whole))}")
    sign = -1.0 if name in LOWER_IS_BETTER else 1.0
    n_resamples = enough_resamples(n_bootstrap, len(rows) * shuffles, INTERVAL_WORK, MIN_RESAMPLES)
    own = float(whole[name](counts[None])[0])
    own_resampled = resampled_values({name: whole[name]}, counts, n_resamples, seed).get(name)
    result = []
    for column, blocks in columns.items():
        shuffled = {
            str(k): _statistics(data_spec, rows, predict(inputs))[name]
            for k, inputs in enumerate(_shuffled_inputs(rows.inputs, column, blocks, n_repeats, seed))
        }
        drops = np.array([sign * (own - float(each(counts[None])[0])) for each in shuffled.values()])
        mean, std, low, high = float(drops.mean()), float(drops.std()), None, None
        if own_resampled is not None:
            others = np.mean(list(resampled_values(shuffled, counts, n_resamples, seed).values()), axis=0)
            # Two kinds of chance: which rows there are, and how they were shuffled.
            half = Z95 * float(np.hypot(np.nanstd(own_resampled - others, ddof=1), std / np.sqrt(n_repeats)))
            low, high = mean - half, mean + half
        result.append(Importance(name=column, mean=mean, std=std, low=low, high=high, metric=name))
    return sorted(result, key=lambda importance: -importance.mean)


def _sample_rows(rows: TensorData, n_rows: int, seed: int) -> TensorData:
    if len(rows) <= n_rows:
        return rows
    rng = torch_rng(seed, "importance", "rows")
    return rows[torch.randperm(len(rows), generator=rng, device=rng.device)[:n_rows]]


def _statistics(data_spec: DataSpec, rows: TensorData, scores: Tensor) -> dict[str, Statistic]:
    return metric_statistics(data_spec.task, rows.targets, scores)


def _shuffled_inputs(
    inputs: Tensor, name: str, blocks: Sequence[ColumnBlock], n_repeats: int, seed: int
) -> Iterator[Tensor]:
    columns = torch.tensor([k for block in blocks for k in block.columns], device=inputs.device)
    rng = torch_rng(seed, "importance", name, device=inputs.device)
    for _ in range(n_repeats):
        order = torch.randperm(len(inputs), generator=rng, device=inputs.device)
        shuffled = inputs.clone()
        shuffled[:, columns] = inputs[order[:, None], columns]
        yield shuffled
