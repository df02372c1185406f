import numpy as np
import pandas as pd
import pytest

from layerwise.inference import load_trained_model


@pytest.mark.parametrize("transform", ["sqrt", "yeo_johnson", "quantile"])
def test_a_model_answers_in_the_units_of_the_raw_target(project, transform):
    name = f"transformed_{transform}"
    project.run(
        "mlp",
        env="forest_fires",
        problem={"name": name, "target_transform": transform},
        evaluation={"interval_coverage": 0.8, "bootstrap": 20},
    )
    model = load_trained_model(project.path / "data/06_models" / name / "mlp/model")
    raw = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    test = raw.iloc[project.json(f"04_feature/{name}/mlp/split.json")["test"]]
    answers = model.predict(test, strict=False).astype(float)
    found = project.json(f"08_reporting/{name}/mlp/network_metrics.json")
    truth = test["area"].to_numpy()
    mae = np.abs(truth - answers["prediction"].to_numpy()).mean()
    assert found["raw_mae"]["value"] == pytest.approx(mae, rel=1e-3)
    rmse = np.sqrt(((truth - answers["prediction_mean"].to_numpy()) ** 2).mean())
    assert found["raw_rmse"]["value"] == pytest.approx(rmse, rel=1e-3)
    assert (answers["prediction_low"] <= answers["prediction_high"]).all()
    assert answers["prediction"].between(0, raw["area"].max()).mean() > 0.9
