import pytest

from layerwise.data import DataError
from layerwise.evaluation import Drift, beyond_limits
from layerwise.evaluation.metrics import Metric

DRIFT = [
    Drift(column="age", kind="number", psi=0.3, expected_psi=0.01, level="drift"),
    Drift(column="rare", kind="number", psi=0.9, expected_psi=0.8, level="stable"),
]
METRICS = {
    "accuracy": Metric(name="accuracy", value=0.8),
    "log_loss": Metric(name="log_loss", value=0.6, better="lower"),
}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"accuracy": 0.8, "log_loss": 0.6, "drift": 0.3}, []),
        ({"accuracy": 0.81}, ["accuracy is 0.8 (limit 0.81)"]),
        (
            {"log_loss": 0.5, "drift": 0.25},
            ["log_loss is 0.6 (limit 0.5)", "age drifted by 0.300 (limit 0.25)"],
        ),
    ],
)
def test_what_is_worse_than_its_limit_is_named(limits, expected):
    assert beyond_limits(limits, DRIFT, METRICS) == expected


def test_a_limit_of_what_was_not_measured_is_refused():
    with pytest.raises(DataError, match="there is no acuracy; did you mean 'accuracy'"):
        beyond_limits({"acuracy": 0.5}, DRIFT, METRICS)
    with pytest.raises(DataError, match="there is no accuracy"):
        beyond_limits({"accuracy": 0.5}, DRIFT, {})
