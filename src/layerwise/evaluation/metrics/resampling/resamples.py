"""Rows drawn with replacement, and statistics of their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from layerwise.evaluation.metrics.arrays import Array, as_array
from layerwise.utils import numpy_rng


def row_counts(weights: Any, n_rows: int) -> Array:
    """Return how much each row counts, (n,) float64: ones without weights.

    Raises:
        ValueError: there is another number of weights than of rows, one is below 0 or no number, or all are 0.
    """
    if weights is None:
        return np.ones(n_rows)
    found = as_array(weights).reshape(-1).astype(np.float64)
    if len(found) != n_rows:
        raise ValueError(f"{len(found)} weights do not fit {n_rows} rows")
    if not (np.isfinite(found).all() and found.min() >= 0 and found.any()):
        raise ValueError("weights are numbers of at least 0, and not all 0")
    return found


def enough_resamples(asked: int, size: int, work: float, least: int) -> int:
    """Return how many resamples are drawn: fewer than asked for where each is large.

    Args:
        asked: how many.
        size: of one, in rows or whatever its work grows with.
        work: what all of them may have together.
        least: how many there are however large one is, unless fewer are asked for.
    """
    return int(min(asked, max(least, work / size)))


# More rows than these are drawn in so many groups.
MOST_DRAWN_ROWS, GROUPS = 40_000, 20_000
# Numbers of drawn rows or groups that are held at a time; those of rows that are ranked stay in a core's cache.
DRAWN_AT_A_TIME, RANKED_AT_A_TIME = 2_000_000, 200_000


class Resamples:
    """Row weights (b, n) of resamples: how often each row was drawn, times how much it counts.

    Rows may have been drawn in groups; then the weights are not written out, as sums over rows need those of groups
    alone.

    Args:
        times: (b, g) how often each group was drawn, or each row.
        counts: (n,) how much each row counts when it is drawn once.
        group: (n,) the group of each row; None: each row is drawn by itself.
    """

    def __init__(self, times: Array, counts: Array, group: Array | None = None) -> None:
        self.times, self.counts, self.group = times, counts, group

    def __len__(self) -> int:
        return len(self.times)

    def __matmul__(self, values: Array) -> Array:
        """Return the weighted sums over rows of values (n,) or (n, k), (b,) or (b, k)."""
        if self.group is None:
            return self.times @ (values.T * self.counts).T
        columns = values.reshape(len(values), -1)
        by_group = [self._by_group(column * self.counts) for column in columns.T]
        return (self.times @ np.stack(by_group, 1)).reshape(len(self), *values.shape[1:])

    def sum(self, axis: Literal[1] = 1, keepdims: bool = False) -> Array:
        """Return the summed weights of each resample, (b,) or (b, 1)."""
        total: Array = self @ np.ones(len(self.counts))
        return total[:, None] if keepdims else total

    def in_parts(self) -> Iterator[Array]:
        """Yield the weights written out (b', n), so many resamples at a time as stay in a core's cache."""
        size = max(1, RANKED_AT_A_TIME // len(self.counts))
        for start in range(0, len(self), size):
            times = self.times[start : start + size]
            # `np.take` keeps the order of rows in memory, which an index does not.
            yield (times if self.group is None else np.take(times, self.group, axis=1)) * self.counts

    def _by_group(self, values: Array) -> Array:
        return np.bincount(self.group, values, minlength=self.times.shape[1])  # type: ignore[arg-type]


Statistic = Callable[["Array | Resamples"], Array]


def resampled_values(
    statistics: dict[str, Statistic], counts: Array, n_bootstrap: int, seed: int
) -> dict[str, Array]:
    """Return each statistic's values (resamples,) on rows drawn with replacement, the same rows for all.

    More than 40,000 rows are drawn in 20,000 groups of rows that chance put together, which spread as the rows do (the
    variance of a mean of groups of k rows is that of a row divided by k), and take fewer random numbers.

    Args:
        statistics: by name.
        counts: (n,) how much each row counts when it is drawn once.
        n_bootstrap: resamples.
        seed: of the resamples.
    """
    if not statistics or n_bootstrap == 0:
        return {}
    n_rows, parts = len(counts), {name: list[Array]() for name in statistics}
    alone = n_rows <= MOST_DRAWN_ROWS and n_rows * n_bootstrap <= DRAWN_AT_A_TIME
    drawn = [_drawn_at_once(n_rows, n_bootstrap, seed)] if alone else _drawn(n_rows, n_bootstrap, seed)
    for times, group in drawn:
        resamples = Resamples(times, counts, group)
        for name, statistic in statistics.items():
            parts[name].append(statistic(resamples))
    return {name: np.concatenate(values) for name, values in parts.items()}


def _drawn(n_rows: int, n_bootstrap: int, seed: int) -> Iterator[tuple[Array, Array | None]]:
    """Yield how often each row or group was drawn (b, g), as many resamples as are held at a time, and the groups."""
    rng = numpy_rng(seed, "bootstrap")
    n_drawn, group = n_rows, None
    if n_rows > MOST_DRAWN_ROWS:
        n_drawn = GROUPS
        group = rng.permutation(n_rows) % n_drawn
    chunk = max(1, min(n_bootstrap, DRAWN_AT_A_TIME // n_drawn))
    for start in range(0, n_bootstrap, chunk):
        size = min(chunk, n_bootstrap - start)
        drawn = rng.integers(0, n_drawn, (size, n_drawn), dtype=np.int32) + np.arange(size)[:, None] * n_drawn
        times = np.bincount(drawn.reshape(-1), minlength=size * n_drawn).reshape(size, n_drawn)
        yield times.astype(np.float64), group


@lru_cache(maxsize=1)
def _drawn_at_once(n_rows: int, n_bootstrap: int, seed: int) -> tuple[Array, None]:
    """Return all draws as one chunk: a run asks for the same ones for every model and metric of its test rows."""
    ((times, _),) = _drawn(n_rows, n_bootstrap, seed)
    times.flags.writeable = False
    return times, None
