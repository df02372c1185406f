"""Rows drawn with replacement, many of them in groups."""

import numpy as np
import pytest

from layerwise.evaluation.metrics import compute_metrics
from layerwise.evaluation.metrics.resampling import RankedScores, Resamples, resampled_values, resamples


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


def written_out(resamples):
    return np.concatenate(list(resamples.in_parts()))


def test_few_rows_are_drawn_one_by_one():
    seen = []
    resampled_values({"any": lambda rows: seen.append(rows) or rows.sum(1)}, np.ones(40_000), 2, seed=0)
    weights = written_out(seen[0])
    assert weights.sum() == 2 * 40_000
    assert (weights[0] == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)


@pytest.mark.parametrize("n_groups", [None, 30])
def test_sums_over_resamples_are_those_of_the_weights_written_out(n_groups):
    rng = np.random.default_rng(3)
    counts, values = rng.random(200), rng.normal(size=(200, 3))
    group = None if n_groups is None else rng.permutation(200) % n_groups
    resamples = Resamples(rng.poisson(1.0, (7, n_groups or 200)).astype(float), counts, group)
    weights = written_out(resamples)
    assert weights.shape == (7, 200)
    np.testing.assert_allclose(resamples @ values, weights @ values, atol=1e-12)
    np.testing.assert_allclose(resamples @ values[:, 0], weights @ values[:, 0], atol=1e-12)
    np.testing.assert_allclose(resamples.sum(1), weights.sum(1))
    np.testing.assert_allclose(resamples.sum(1, keepdims=True), weights.sum(1, keepdims=True))


@pytest.fixture(params=[False, True], ids=["all scores differ", "ties"])
def ranked(request):
    rng = np.random.default_rng(4)
    is_positive = rng.random(4000) < 0.4
    scores = rng.normal(is_positive, 1.0)
    return RankedScores(is_positive, np.round(scores, 1) if request.param else scores)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_an_influence_is_the_derivative_by_the_weight_of_a_row(ranked, name):
    counts = np.random.default_rng(5).uniform(0.5, 2, 4000)
    influences = getattr(ranked, f"_influences_on_{name}")(counts[None])
    rows, step = np.arange(0, 4000, 131), 1e-4
    ends = [counts + sign * step * np.eye(4000)[rows] for sign in (1, -1)]
    above, below = (getattr(ranked, name)(each) for each in ends)
    np.testing.assert_allclose(influences[rows], (above - below) / (2 * step), atol=1e-9)
    assert counts @ influences == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_resamples_of_many_rows_are_near_those_that_are_ranked_anew(ranked, name):
    counts = np.random.default_rng(6).uniform(0.5, 2, 4000)
    times = np.random.default_rng(7).multinomial(4000, np.full(4000, 1 / 4000), size=200).astype(float)
    resamples = Resamples(times, counts)
    assert ranked.has_influences
    found, exact = getattr(ranked, name)(resamples), getattr(ranked, name)(times * counts)
    assert np.sqrt(((found - exact) ** 2).mean()) < 0.05 * exact.std()
    assert found.std() == pytest.approx(exact.std(), rel=0.02)


def test_resamples_of_few_rows_of_a_class_are_ranked():
    rng = np.random.default_rng(8)
    is_positive = np.arange(3000) < 999
    ranked = RankedScores(is_positive, rng.normal(is_positive, 1.0))
    times = rng.poisson(1.0, (90, 3000)).astype(float)
    resamples = Resamples(times, np.ones(3000))
    np.testing.assert_array_equal(ranked.roc_auc(resamples), ranked.roc_auc(times))
    np.testing.assert_array_equal(ranked.average_precision(resamples), ranked.average_precision(times))


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_no_metric_depends_on_the_size_of_all_weights(size):
    rng = np.random.default_rng(9)
    targets = (rng.random(300) < 0.3).astype(int)
    scores = 1 / (1 + np.exp(-rng.normal(targets, 1.0)))[:, None]
    plain, weighted = (
        compute_metrics("binary", targets, scores, n_bootstrap=20, weights=np.full(300, each))
        for each in (1.0, size)
    )
    for name, metric in plain.items():
        assert weighted[name].value == pytest.approx(metric.value), name
        assert weighted[name].low == pytest.approx(metric.low), name


def test_the_interval_of_the_auc_of_many_rows_is_that_of_rows_drawn_one_by_one(monkeypatch):
    rng = np.random.default_rng(2)
    targets = (rng.random(52_000) < 0.01).astype(int)  # about five hundred rows of the rare class: ranked
    scores = 1 / (1 + np.exp(-rng.normal(targets, 1.0)))
    width = {}
    for most in (40_000, 60_000):
        monkeypatch.setattr(resamples, "MOST_DRAWN_ROWS", most)
        found = compute_metrics("binary", targets, scores[:, None], n_bootstrap=200)
        width[most] = [
            found[name].high - found[name].low for name in ("roc_auc", "average_precision", "log_loss")
        ]
    assert width[40_000] == pytest.approx(width[60_000], rel=0.25)
    assert width[40_000] != width[60_000]


def test_the_same_rows_are_drawn_once_and_stay_as_they_were(monkeypatch):
    make_rng, asked, values = resamples.numpy_rng, [], np.arange(37.0)
    monkeypatch.setattr(resamples, "numpy_rng", lambda *named: (asked.append(named), make_rng(*named))[1])
    sums = [
        resampled_values({"sum": lambda weights: weights @ values}, np.full(37, count), 53, 7)["sum"]
        for count in (1.0, 2.0, 1.0)
    ]
    assert asked == [(7, "bootstrap")]
    np.testing.assert_array_equal(sums[1], 2 * sums[0])
    np.testing.assert_array_equal(sums[2], sums[0])
