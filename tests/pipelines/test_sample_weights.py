import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError


def test_the_metrics_of_a_run_count_rows_by_their_weights(project):
    problem = {"name": "weighted", "weights": "DC", "target_transform": "none"}
    project.run("mlp", env="forest_fires", problem=problem, evaluation={"segments": ["day"]})
    predictions = pd.read_csv(project.path / "data/07_model_output/weighted/mlp/test_predictions.csv")
    raw = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    weights = raw["DC"].to_numpy()[project.json("04_feature/weighted/mlp/split.json")["test"]]
    squared = (predictions["true_area"] - predictions["predicted_area"]) ** 2
    found = project.json("08_reporting/weighted/mlp/network_metrics.json")["rmse"]["value"]
    assert found == pytest.approx(np.sqrt(np.average(squared, weights=weights)), rel=1e-4)
    assert found != pytest.approx(np.sqrt(squared.mean()), rel=1e-3)
    days = raw["day"].to_numpy()[project.json("04_feature/weighted/mlp/split.json")["test"]]
    segments = [each for each in project.json("08_reporting/weighted/mlp/segments.json") if each["metrics"]]
    assert len(segments) > 3
    for segment in segments:
        own = days == segment["value"]
        expected = np.sqrt(np.average(squared[own], weights=weights[own]))
        assert segment["metrics"]["rmse"]["value"] == pytest.approx(expected, rel=1e-4)
    spec = project.json("04_feature/weighted/mlp/data_spec.json")
    assert "DC" not in spec["feature_names"]


def test_a_column_of_weights_that_is_not_there_stops_at_the_split(project):
    with pytest.raises(DataError, match=r"problem\.weights: column 'DD' is not in the table"):
        project.run("mlp", env="forest_fires", problem={"name": "wrong", "weights": "DD"})


def test_new_rows_are_evaluated_by_their_weights(project):
    project.run("mlp", env="forest_fires", problem={"name": "weighted_again", "weights": "DC"})
    run_id = project.last_run()[0]
    raw = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    test = raw.iloc[project.json("04_feature/weighted_again/mlp/split.json")["test"]]
    test.to_csv(project.path / "weighted.csv", index=False)
    project.run("evaluate", evaluate={"model": run_id, "input": "weighted.csv", "bootstrap": 20})
    again = project.json("08_reporting/weighted_again/evaluate/metrics.json")
    before = project.json("08_reporting/weighted_again/mlp/metrics.json")["network"]
    for name in ("rmse", "mae", "raw_rmse"):
        assert again[name]["value"] == pytest.approx(before[name]["value"], rel=1e-5), name
    test.drop(columns="DC").to_csv(project.path / "unweighted.csv", index=False)
    with pytest.raises(DataError, match="'DC'"):
        project.run("evaluate", evaluate={"model": run_id, "input": "unweighted.csv", "bootstrap": 20})
