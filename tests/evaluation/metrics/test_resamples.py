"""Rows drawn with replacement, many of them in groups."""

import numpy as np
import pytest

from layerwise.evaluation.metrics import compute_metrics
from layerwise.evaluation.metrics.resampling import resampled_values, resamples


def resampled_std(values, n_bootstrap=400):
    mean = {"mean": lambda weights: weights @ values / weights.sum(1)}
    return resampled_values(mean, np.ones(len(values)), n_bootstrap, seed=0)["mean"].std(ddof=1)


@pytest.mark.parametrize("share", [0.3, 0.001])
def test_the_mean_of_many_rows_spreads_as_theory_says(share):
    rng = np.random.default_rng(0)
    values = (rng.random(130_001) < share).astype(float)  # no multiple of the groups
    expected = values.std() / len(values) ** 0.5
    assert resampled_std(values) == pytest.approx(expected, rel=0.12)  # that of 400 resamples is off by 3.5 %


def test_rows_that_stand_in_order_spread_no_less():
    values = np.sort(np.random.default_rng(1).normal(size=60_000))
    assert resampled_std(values) == pytest.approx(60_000**-0.5, rel=0.12)


def test_few_rows_are_drawn_one_by_one():
    seen = []
    resampled_values(
        {"any": lambda weights: seen.append(weights) or weights[:, 0]}, np.ones(50_000), 2, seed=0
    )
    counts = np.bincount(seen[0][0].astype(int))
    assert seen[0].sum() == 2 * 50_000
    assert counts[0] / 50_000 == pytest.approx(np.exp(-1), abs=0.01)


def test_the_interval_of_the_auc_of_many_rows_is_that_of_rows_drawn_one_by_one(monkeypatch):
    rng = np.random.default_rng(2)
    targets = (rng.random(52_000) < 0.02).astype(int)  # about a thousand rows of the rare class
    scores = 1 / (1 + np.exp(-rng.normal(targets, 1.0)))
    width = {}
    for most in (50_000, 60_000):
        monkeypatch.setattr(resamples, "MOST_DRAWN_ROWS", most)
        found = compute_metrics("binary", targets, scores[:, None], n_bootstrap=200)
        width[most] = [
            found[name].high - found[name].low for name in ("roc_auc", "average_precision", "log_loss")
        ]
    assert width[50_000] == pytest.approx(width[60_000], rel=0.25)
    assert width[50_000] != width[60_000]
