"""Rows drawn with replacement, and statistics of their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layerwise.evaluation.metrics.arrays import Array, as_array
from layerwise.utils import numpy_rng

Statistic = Callable[[Array], Array]


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
MOST_DRAWN_ROWS, GROUPS = 50_000, 20_000


def resampled_values(
    statistics: dict[str, Statistic], counts: Array, n_bootstrap: int, seed: int
) -> dict[str, Array]:
    """Return each statistic's values (resamples,) on rows drawn with replacement, the same rows for all.

    More than 50,000 rows are drawn in 20,000 groups of rows that chance put together, which spread as the rows do (the
    variance of a mean of groups of k rows is that of a row divided by k), and take fewer random numbers.

    Args:
        statistics: by name.
        counts: (n,) how much each row counts when it is drawn once.
        n_bootstrap: resamples.
        seed: of the resamples.
    """
    if not statistics or n_bootstrap == 0:
        return {}
    n_rows, rng = len(counts), numpy_rng(seed, "bootstrap")
    n_drawn, group = n_rows, None
    if n_rows > MOST_DRAWN_ROWS:
        n_drawn = GROUPS
        group = rng.permutation(n_rows) % n_drawn
    # So many weights at a time stay in a core's cache, in which ranking takes half the time.
    chunk = max(1, min(n_bootstrap, 200_000 // n_rows))
    parts: dict[str, list[Array]] = {name: [] for name in statistics}
    for start in range(0, n_bootstrap, chunk):
        size = min(chunk, n_bootstrap - start)
        drawn = rng.integers(0, n_drawn, (size, n_drawn), dtype=np.int32) + np.arange(size)[:, None] * n_drawn
        times = np.bincount(drawn.reshape(-1), minlength=size * n_drawn).reshape(size, n_drawn)
        weights = times.astype(np.float64)
        if group is not None:
            weights = np.take(weights, group, axis=1)  # in the order of rows, which an index does not keep
        weights *= counts
        for name, statistic in statistics.items():
            parts[name].append(statistic(weights))
    return {name: np.concatenate(values) for name, values in parts.items()}
