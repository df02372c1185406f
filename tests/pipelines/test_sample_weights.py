import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError


def test_the_metrics_of_a_run_count_rows_by_their_weights(project):
    project.run("mlp", env="forest_fires", problem={"name": "weighted", "weights": "DC"})
    predictions = pd.read_csv(project.path / "data/07_model_output/weighted/mlp/test_predictions.csv")
    raw = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    weights = raw["DC"].to_numpy()[project.json("04_feature/weighted/mlp/split.json")["test"]]
    squared = (predictions["true_area"] - predictions["predicted_area"]) ** 2
    found = project.json("08_reporting/weighted/mlp/network_metrics.json")["rmse"]["value"]
    assert found == pytest.approx(np.sqrt(np.average(squared, weights=weights)), rel=1e-4)
    assert found != pytest.approx(np.sqrt(squared.mean()), rel=1e-3)
    spec = project.json("04_feature/weighted/mlp/data_spec.json")
    assert "DC" not in spec["feature_names"]


def test_a_column_of_weights_that_is_not_there_stops_at_the_split(project):
    with pytest.raises(DataError, match=r"problem\.weights: column 'DD' is not in the table"):
        project.run("mlp", env="forest_fires", problem={"name": "wrong", "weights": "DD"})
