import math

import pytest
from pydantic import ValidationError

from layerwise.evaluation.metrics import (
    LoggedMetric,
    LoggedMetrics,
    Metric,
    MetricsByModel,
    NamedMetrics,
    metric_name,
)

ERROR = Metric(name="error", value=0.25, low=0.1, high=0.4, base_rate=0.5, better="lower")
AUC = Metric(name="roc_auc", value=0.75)


def test_a_name_has_one_value_at_each_step():
    with pytest.raises(ValidationError, match="'loss' has two values at step 1"):
        LoggedMetrics.of({"loss": 1.0}, step=1) + LoggedMetrics.of({"loss": 2.0}, step=1)
    with pytest.raises(ValidationError, match="'error' has two values"):
        LoggedMetrics((LoggedMetric(name="error", value=0.1), LoggedMetric(name="error", value=0.1)))


def test_rows_are_grouped_by_step_in_their_order():
    first = LoggedMetrics.of({"loss": 3.0, "error": 0.5}, prefix="train/", step=1)
    found = first + LoggedMetrics.of({"loss": 2.0}, prefix="train/", step=2) + LoggedMetrics.of({"auc": 0.9})
    assert found.by_step() == {
        1: {"train/loss": 3.0, "train/error": 0.5},
        2: {"train/loss": 2.0},
        None: {"auc": 0.9},
    }
    assert found["train/loss"] == 2.0
    assert found.names == ("train/loss", "train/error", "auc")
    assert len(found) == 4
    with pytest.raises(KeyError):
        found["validation/loss"]


def test_rows_are_the_same_after_json():
    found = LoggedMetrics.of({"a": 0.1 + 0.2, "b": math.inf}, step=7) + LoggedMetrics.of({"c": 1e-300})
    assert LoggedMetrics.model_validate(found.model_dump(mode="json")) == found
    assert math.isnan(LoggedMetrics.model_validate(LoggedMetrics.of({"d": math.nan}).model_dump())["d"])


def test_a_text_becomes_a_part_of_a_name_that_mlflow_takes():
    assert metric_name("baseline: logistic regression") == "baseline_logistic_regression"


def test_metrics_are_logged_under_a_prefix_and_their_names():
    found = NamedMetrics({"error": ERROR, "roc_auc": AUC})
    assert found.logged("test/").by_step() == {None: {"test/error": 0.25, "test/roc_auc": 0.75}}
    assert list(found) == ["error", "roc_auc"]
    assert "error" in found
    assert "rmse" not in found
    assert found["error"] is ERROR


def test_metrics_of_models_are_logged_under_names_that_mlflow_takes():
    found = MetricsByModel(
        {"baseline: linear model": {"error": ERROR}, "raw": {"error": ERROR, "roc_auc": AUC}}
    )
    assert found.logged("test/").by_step() == {
        None: {"test/baseline_linear_model/error": 0.25, "test/raw/error": 0.25, "test/raw/roc_auc": 0.75}
    }


def test_metrics_in_json_are_the_mapping_alone():
    found = MetricsByModel({"raw": {"error": ERROR}})
    plain = found.model_dump(mode="json")
    assert plain == {"raw": {"error": ERROR.model_dump()}}
    assert MetricsByModel.model_validate(plain) == found
