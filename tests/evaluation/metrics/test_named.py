from layerwise.evaluation.metrics import Metric, MetricsByModel, NamedMetrics

ERROR = Metric(name="error", value=0.25, low=0.1, high=0.4, base_rate=0.5, better="lower")
AUC = Metric(name="roc_auc", value=0.75)


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
