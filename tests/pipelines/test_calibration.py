import numpy as np
import pandas as pd
import pytest

from layerwise.inference import load_trained_model
from layerwise.parameters import ParameterError

TABLE = {"env": "forest_fires_size", "finetuning": {"epochs": 30, "learning_rate": 0.05, "patience": None}}


@pytest.fixture(scope="module")
def calibrated(project):
    project.run("mlp", problem={"name": "calibrated"}, evaluation={"calibration": "temperature"}, **TABLE)
    return project


def test_the_model_answers_with_calibrated_probabilities_as_its_test_predictions(calibrated):
    model = load_trained_model(calibrated.path / "data/06_models/calibrated/mlp/model")
    raw = pd.read_csv(calibrated.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    test = calibrated.json("04_feature/calibrated/mlp/split.json")["test"]
    answers = model.predict(raw.iloc[test], strict=False)
    predictions = pd.read_csv(calibrated.path / "data/07_model_output/calibrated/mlp/test_predictions.csv")
    for name in model.columns.class_names:
        np.testing.assert_allclose(
            answers[f"probability_{name}"], predictions[f"probability_{name}"], atol=1e-5
        )
    assert float(model.network.temperature) != pytest.approx(1)
    plain = model.network.network
    inputs = model.preprocessor.inputs(raw.iloc[test])
    import torch

    logits = plain(torch.from_numpy(inputs)).detach()
    assert np.abs(logits.softmax(1).numpy() - answers.filter(like="probability_").to_numpy()).max() > 1e-3


def test_the_report_has_the_metrics_before_and_after(calibrated):
    found = calibrated.json("08_reporting/calibrated/mlp/network_metrics.json")
    for name in ("log_loss", "brier", "calibration_error"):
        assert {name, f"uncalibrated_{name}"} <= set(found)
    assert found["log_loss"]["value"] != found["uncalibrated_log_loss"]["value"]
    # A temperature leaves every order as it is.
    figures = calibrated.path / "data/08_reporting/calibrated/mlp"
    assert (figures / "calibration.png").exists()
    assert (figures / "calibration_before.png").exists()


def test_a_regression_is_not_calibrated(project):
    with pytest.raises(ParameterError, match="calibration is for classes and labels"):
        project.run("mlp", env="forest_fires", evaluation={"calibration": "isotonic"})
