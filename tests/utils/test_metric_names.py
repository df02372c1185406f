import pytest
from mlflow.utils.validation import _validate_metric_name

from layerwise.utils import MetricNames

WILD = [
    "drift/Alter (Jahre)",
    "drift/a//b",
    "x/../y",
    "$$",
    "50% \\alpha {x}",
    "/top",
    "CO₂ %",
    "a" * 400,
    "drift/[0, 1)",
]


@pytest.mark.parametrize("name", WILD)
def test_whatever_a_column_is_called_mlflow_takes_the_metric(name):
    _validate_metric_name(MetricNames().allowed(name))


@pytest.mark.parametrize("name", ["train/loss", "test/roc_auc", "drift/naïve", "remedies/relu: he"])
def test_names_that_mlflow_takes_stay(name):
    assert MetricNames().allowed(name) == name


def test_different_metrics_have_different_names_and_each_the_same_one_always():
    names = MetricNames()
    found = [names.allowed(name) for name in ("a(b", "a)b", "a_b", "a(b", "a" * 400, "a" * 401)]
    assert found[0] == found[3]
    assert len(set(found)) == 5
