import pytest

from layerwise.evaluation.metrics import Metric
from layerwise.evaluation.reports.evaluation_report import describe_worsening, make_evaluation_report


def metric(value, half=None, name="accuracy", better="higher"):
    low, high = (None, None) if half is None else (value - half, value + half)
    return {name: Metric(name=name, value=value, low=low, high=high, better=better)}


@pytest.mark.parametrize(("drop", "speaks"), [(0.049, False), (0.051, True)])
def test_a_metric_is_worse_beyond_the_root_of_both_squared_half_widths(drop, speaks):
    said = describe_worsening(metric(0.9 - drop, 0.03), metric(0.9, 0.04))
    assert bool(said) == speaks
    if speaks:
        assert said == [
            "accuracy is worse than on the test rows: 0.8490 [0.8190, 0.8790], and was 0.9000 [0.8600, 0.9400]."
        ]


def test_an_error_is_worse_when_it_is_higher():
    new, old = metric(0.2, 0.01, "error", "lower"), metric(0.1, 0.01, "error", "lower")
    assert describe_worsening(new, old)
    assert not describe_worsening(old, new)


def test_more_metrics_make_each_wait_for_a_larger_difference():
    names = [f"metric_{k}" for k in range(10)]
    new = {name: metric(0.945, 0.03)["accuracy"] for name in names}
    old = {name: metric(1.0, 0.04)["accuracy"] for name in names}
    # One alone is worse by .055 > .05; at the level .05 / 10 the bound is .05 x 2.807 / 1.96.
    assert not describe_worsening(new, old)
    assert describe_worsening(dict(list(new.items())[:1]), old)


def test_nothing_is_said_without_an_old_interval_or_of_calibration():
    assert describe_worsening(metric(0.1, 0.01), metric(0.9)) == []
    new, old = (metric(v, 0.001, "calibration_error", "lower") for v in (0.3, 0.1))
    assert describe_worsening(new, old) == []


def test_the_report_shows_both_intervals():
    text = make_evaluation_report("m", metric(0.8, 0.1), metric(0.9, 0.05), [], rows=10, refused={})
    assert "| accuracy | higher | 0.8000 [0.7000, 0.9000] | 0.9000 [0.8500, 0.9500] |" in text
    assert "worse" not in text
