import numpy as np
import pytest
from scipy import stats

from layerwise.evaluation.metrics import CoverageError, conformal_intervals, effective_rows


def test_the_half_width_is_the_right_one_of_the_sorted_errors():
    errors = np.arange(1, 20.0)  # n = 19: ceil(20 * .9) = 18
    found = conformal_intervals(np.zeros((19, 1)), np.random.default_rng(0).permutation(errors)[:, None], 0.9)
    assert found.half_widths == (18.0,)
    assert conformal_intervals(np.zeros(9), np.arange(1, 10.0), 0.9).half_widths == (9.0,)


def test_each_output_has_its_own():
    targets = np.zeros((99, 2))
    values = np.stack([np.arange(99.0), 10 * np.arange(99.0)], 1)
    assert conformal_intervals(targets, values, 0.8).half_widths == (79.0, 790.0)


@pytest.mark.parametrize(("n", "coverage"), [(30, 0.9), (99, 0.8), (19, 0.95)])
def test_new_rows_lie_inside_as_often_as_the_formula_says(n, coverage):
    # Heavy tails and a wrong model: neither matters.
    rng, trials = np.random.default_rng(0), 20_000
    errors = rng.standard_t(2, (trials, n + 1)) + 0.5
    inside = sum(
        abs(each[-1]) <= conformal_intervals(each[:-1], np.zeros(n), coverage).half_widths[0]
        for each in errors
    )
    expected = np.ceil((n + 1) * coverage - 1e-9) / (n + 1)
    assert expected >= coverage
    assert inside / trials == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / trials))


def test_an_epoch_that_the_same_rows_chose_costs_two_points_of_coverage():
    # 30 epochs whose predictions differ by a fifth of the noise; the one of lowest error on 50 rows is taken.
    rng, trials, inside = np.random.default_rng(0), 2000, 0.0
    for _ in range(trials):
        noise = rng.normal(size=(1, 50))
        errors = noise + 0.2 * rng.normal(size=(30, 50))
        best = errors[(errors**2).mean(1).argmin()]
        half = conformal_intervals(best, np.zeros(50), 0.9).half_widths[0]
        new = rng.normal(size=200) + 0.2 * rng.normal(size=200)
        inside += (np.abs(new) <= half).mean()
    assert 0.87 < inside / trials < 0.89


def test_too_few_rows_for_a_coverage_are_refused_with_how_many_it_takes():
    with pytest.raises(CoverageError, match="needs 19 validation rows, and there are 18"):
        conformal_intervals(np.zeros(18), np.ones(18), 0.95)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_equal_weights_of_any_size_and_rows_of_weight_0_change_nothing(coverage):
    rng = np.random.default_rng(0)
    for n in range(19, 400, 7):
        errors = rng.exponential(size=n)
        expected = np.sort(errors)[int(np.ceil((n + 1) * coverage - 1e-9)) - 1]
        assert conformal_intervals(errors, np.zeros(n), coverage).half_widths == (expected,)
        assert conformal_intervals(errors, np.zeros(n), coverage, np.full(n, 0.3)).half_widths == (expected,)
        more = np.concatenate([errors, [1e9] * 30])
        weights = np.repeat([2.5, 0.0], [n, 30])
        assert conformal_intervals(more, np.zeros(n + 30), coverage, weights).half_widths == (expected,)


def test_rows_that_count_by_their_weights_lie_inside_as_often_as_asked():
    """One row of ten is noisy and counts nine times: half of the weight."""
    rng, n, found, plain = np.random.default_rng(0), 200, [], []
    for _ in range(2000):
        noisy = rng.random(n) < 0.1
        errors = rng.normal(size=n) * np.where(noisy, 5.0, 1.0)
        weights = np.where(noisy, 9.0, 1.0)
        for widths, given in ((found, weights), (plain, None)):
            widths.append(conformal_intervals(errors, np.zeros(n), 0.8, given).half_widths[0])
    # 90 rows of weight 1 and 10 of weight 9, of 100: the weighted law is half of each.
    inside, unweighted = (
        float(np.mean([stats.norm(scale=sd).cdf(np.array(h)) * 2 - 1 for sd in (1.0, 5.0)]))
        for h in (found, plain)
    )
    assert inside == pytest.approx(0.8, abs=0.01)
    assert unweighted < 0.65


def test_a_few_heavy_rows_are_few_rows():
    weights = np.concatenate([np.full(5, 100.0), np.full(200, 0.001)])
    assert effective_rows(weights) == pytest.approx(5, abs=0.01)
    with pytest.raises(CoverageError, match=r"needs 9 .* there are 5\.004 by their weights"):
        conformal_intervals(np.ones(205), np.zeros(205), 0.9, weights)


def test_around_quantiles_the_margin_is_the_right_one_of_how_far_the_truth_lies_outside():
    # Truths from 1 to 19 beside the band [10, 12]: 9 ... 1 below it, 0 to -1 within, 1 ... 7 above.
    truth, band = np.arange(1.0, 20.0), np.tile([10.0, 12.0], (19, 1))
    outside = np.sort(np.maximum(10 - truth, truth - 12))
    found = conformal_intervals(truth, np.zeros(19), 0.8, quantiles=band)
    assert (found.around, found.half_widths) == ("quantiles", (outside[15],))
    # A band that is far too wide is made narrower, and a prediction is never outside of its own interval.
    wide = conformal_intervals(truth, np.zeros(19), 0.5, quantiles=np.tile([-90.0, 110.0], (19, 1)))
    assert wide.half_widths[0] < 0
    low, high = wide.ends(np.array([[10.0], [500.0]]), np.tile([-90.0, 110.0], (2, 1)))
    assert (low[0, 0], high[0, 0]) == (-90.0 - wide.half_widths[0], 110.0 + wide.half_widths[0])
    assert high[1, 0] == 500.0


@pytest.mark.parametrize("skill", ["right quantiles", "far too narrow ones"])
def test_around_any_quantiles_new_rows_lie_inside_as_often_as_the_formula_says(skill):
    """Noise that grows with x: right quantiles hold their level for every x, and wrong ones still do on average."""
    rng, n, coverage, inside = np.random.default_rng(0), 99, 0.8, []
    for _ in range(1000):
        x = rng.uniform(0.2, 2, n + 400)
        y = x * rng.normal(size=n + 400)
        half = 1.2816 * x if skill == "right quantiles" else np.full_like(x, 0.01)
        bands = np.column_stack([-half, half])
        found = conformal_intervals(y[:n], np.zeros(n), coverage, quantiles=bands[:n])
        low, high = found.ends(np.zeros((400, 1)), bands[n:])
        hit = (low[:, 0] <= y[n:]) & (y[n:] <= high[:, 0])
        inside.append((hit.mean(), hit[x[n:] < 0.8].mean(), hit[x[n:] > 1.4].mean()))
    everywhere, steady, noisy = np.mean(inside, axis=0)
    assert everywhere == pytest.approx(0.8, abs=0.01)  # ceil(100 * .8) / 100
    if skill == "right quantiles":
        assert steady == pytest.approx(0.8, abs=0.02)
        assert noisy == pytest.approx(0.8, abs=0.02)
    else:
        assert steady > 0.9
        assert noisy < 0.7
