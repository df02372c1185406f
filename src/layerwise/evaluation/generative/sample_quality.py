"""Metrics between generated and real rows: Frechet and kernel distance, precision and recall, memorization.

For images the rows are features: the last hidden layer of a classifier that is trained on the same problem's training
rows. The metrics compare generators of one problem; those of another feature space differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from layerwise.data import DataError
from layerwise.evaluation.metrics import Array, as_array

# Neighbours in precision and recall (Kynkaanniemi et al. 2019 take 3), and in density and coverage (Naeem et al. 2020
# take 5).
PRECISION_NEIGHBORS, COVERAGE_NEIGHBORS = 3, 5
# Subsets of the kernel distance (Binkowski et al. 2018 take 100 of 1,000 rows).
SUBSETS, SUBSET_ROWS = 50, 1000


def _pair(real: Any, generated: Any) -> tuple[Array, Array]:
    a, b = (as_array(values).astype(np.float64) for values in (real, generated))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"rows of shapes {a.shape} and {b.shape} cannot be compared")
    if min(len(a), len(b)) < 2:
        raise DataError(
            f"{len(a)} and {len(b)} rows are too few to compare, which takes at least 2 rows of each: bring more, or "
            "raise split.test_fraction"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("the rows hold NaN or infinite values; the training diverged")
    return a, b


def frechet_between(mean_a: Array, covariance_a: Array, mean_b: Array, covariance_b: Array) -> float:
    """Return |m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)), the squared Wasserstein-2 distance of two normals.

    Heusel et al. 2017, equation 6. The trace of the root comes from the symmetric A^(1/2) B A^(1/2), which has the
    same eigenvalues as A B and no complex part.
    """
    values, vectors = np.linalg.eigh(covariance_a)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ covariance_b @ root)
    traces = np.trace(covariance_a) + np.trace(covariance_b) - 2 * np.sqrt(np.clip(inner, 0, None)).sum()
    return float(np.square(mean_a - mean_b).sum() + max(traces, 0.0))


def frechet_distance(real: Any, generated: Any) -> float:
    """Return the Frechet distance of the normals fitted to two sets of rows (n, d) and (m, d)."""
    a, b = _pair(real, generated)
    return frechet_between(*_moments(a), *_moments(b))


def frechet_distance_to(
    real: Tensor, features: Callable[[Tensor], Tensor] = lambda rows: rows
) -> Callable[[Tensor], float]:
    """Return a function that gives the Frechet distance of rows (m, d) from real ones (n, d), in some features of them.

    The real rows' moments are taken once. The distance is NaN where a row is not finite.

    Raises:
        DataError: there are fewer than two real rows, which have no covariance.
    """
    if len(real) < 2:
        raise DataError(
            f"{len(real)} validation rows are too few to compare generated rows with, which takes at least 2: bring "
            "more, or raise split.validation_fraction"
        )
    mean, covariance = _moments(as_array(features(real)).astype(np.float64))

    def distance(rows: Tensor) -> float:
        found = as_array(features(rows)).astype(np.float64)
        return frechet_between(mean, covariance, *_moments(found)) if np.isfinite(found).all() else np.nan

    return distance


def _moments(rows: Array) -> tuple[Array, Array]:
    return rows.mean(0), np.atleast_2d(np.cov(rows, rowvar=False))


def polynomial_kernel(a: Array, b: Array) -> Array:
    """Return k(x, y) = (x y / d + 1)^3 of every pair, shape (n, m)."""
    return (a @ b.T / a.shape[1] + 1) ** 3


@dataclass(frozen=True)
class KernelDistance:
    """The mean of the kernel distance over random subsets of rows, and its standard deviation over them."""

    mean: float
    std: float


def kernel_distance(
    real: Any,
    generated: Any,
    rng: np.random.Generator,
    *,
    subsets: int = SUBSETS,
    subset_rows: int = SUBSET_ROWS,
) -> KernelDistance:
    """Return the kernel distance over subsets of as many rows of each (Binkowski et al. 2018).

    Args:
        real: (n, d).
        generated: (m, d).
        rng: draws the subsets, each without replacement.
        subsets: their number.
        subset_rows: rows of each, at most all.
    """
    a, b = _pair(real, generated)
    size = min(len(a), len(b), subset_rows)
    found = [
        squared_discrepancy(*(rows[rng.choice(len(rows), size, replace=False)] for rows in (a, b)))
        for _ in range(subsets)
    ]
    return KernelDistance(float(np.mean(found)), float(np.std(found)))


def squared_discrepancy(a: Array, b: Array) -> float:
    """Return the unbiased squared maximum mean discrepancy of rows (n, d) and (m, d) with the cubic kernel.

    Its mean over draws is 0 for equal distributions, so that it can fall below 0.
    """
    within = [
        (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))
        for kernel in (polynomial_kernel(a, a), polynomial_kernel(b, b))
    ]
    return float(sum(within) - 2 * polynomial_kernel(a, b).mean())


@dataclass(frozen=True)
class PRDC:
    """Fidelity and diversity of generated rows: precision, recall, density and coverage.

    A row's radius is the distance to its k-th nearest neighbour of its own kind. `precision` is the fraction of
    generated rows within the radius of a real one, `recall` of real rows within the radius of a generated one
    (Kynkaanniemi et al. 2019). `density` is the mean number of real rows within whose radius a generated row lies,
    over k, and `coverage` the fraction of real rows with a generated one within their radius (Naeem et al. 2020).
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(
    real: Any,
    generated: Any,
    *,
    precision_neighbors: int = PRECISION_NEIGHBORS,
    coverage_neighbors: int = COVERAGE_NEIGHBORS,
) -> PRDC:
    """Return precision, recall, density and coverage of generated rows (m, d) against real ones (n, d).

    As many rows of each are compared, the first ones: the radius shrinks with the number of rows, and coverage of few
    real rows by many generated ones would say little.
    """
    a, b = _pair(real, generated)
    n, most = min(len(a), len(b)), max(precision_neighbors, coverage_neighbors)
    if n <= most:
        raise ValueError(f"{most} neighbours need more than {most} rows of each kind")
    a, b = a[:n], b[:n]
    between, within_real, within_generated = distances(a, b), distances(a, a), distances(b, b)
    near_real = between <= knn_radius(within_real, precision_neighbors)[:, None]
    near_generated = between <= knn_radius(within_generated, precision_neighbors)[None]
    inside_real = between <= knn_radius(within_real, coverage_neighbors)[:, None]
    return PRDC(
        precision=float(near_real.any(0).mean()),
        recall=float(near_generated.any(1).mean()),
        density=float(inside_real.sum() / (coverage_neighbors * n)),
        coverage=float(inside_real.any(1).mean()),
    )


def knn_radius(within: Array, n_neighbors: int) -> Array:
    """Return each row's distance to its k-th nearest other row, (n,), of the distances (n, n) within a set."""
    own = within.copy()
    np.fill_diagonal(own, np.inf)
    return np.partition(own, n_neighbors - 1, axis=1)[:, n_neighbors - 1]


def distances(a: Array, b: Array) -> Array:
    """Return the Euclidean distance of every pair, shape (n, m)."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.clip(squares, 0, None))


def class_fractions(classes: Any, n_classes: int) -> Array:
    """Return the fraction of each class among class codes (n,)."""
    counts = np.bincount(as_array(classes).astype(np.int64), minlength=n_classes)
    return counts / counts.sum()


@dataclass(frozen=True)
class Memorization:
    """The median distance to the nearest training row, of generated rows and of unseen real ones.

    A `ratio` far below 1 says that generated rows are copies of training rows: nearer to them than real rows are.
    `copies` is the fraction of generated rows nearer to a training row than 99 of 100 unseen real rows.
    """

    generated: float
    unseen: float
    ratio: float
    copies: float


def memorization(training: Any, unseen: Any, generated: Any) -> Memorization:
    """Compare generated rows' nearest training rows with those of real rows that were never learnt from."""
    known, new = _pair(training, unseen)
    fake = _pair(new, generated)[1]
    generated_distances, unseen_distances = (nearest_distance(rows, known) for rows in (fake, new))
    generated_median, unseen_median = (
        float(np.median(each)) for each in (generated_distances, unseen_distances)
    )
    limit = np.quantile(unseen_distances, 0.01)
    return Memorization(
        generated=generated_median,
        unseen=unseen_median,
        # Of a table whose rows repeat, both are 0.
        ratio=1.0 if generated_median == unseen_median else generated_median / max(unseen_median, 1e-12),
        copies=float((generated_distances < limit).mean()),
    )


def nearest_distance(rows: Array, known: Array) -> Array:
    """Return the distance of each row (n, d) to the nearest of the known rows (m, d), (n,)."""
    from sklearn.neighbors import NearestNeighbors

    found, _ = NearestNeighbors(n_neighbors=1).fit(known).kneighbors(rows)
    return np.asarray(found[:, 0])
