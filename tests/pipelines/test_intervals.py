import numpy as np
import pandas as pd
import pytest
import torch
from helpers.model_doors import from_http, pyfunc

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.metrics import NamedMetrics
from layerwise.inference import load_trained_model
from layerwise.parameters import EvaluationSettings, ParameterError
from layerwise.pipelines.evaluation.interval_nodes import find_intervals, measure_intervals
from layerwise.pipelines.evaluation.scores import score_rows


@pytest.fixture(scope="module")
def covered(project):
    project.run(
        "mlp",
        env="forest_fires",
        problem={"name": "covered"},
        evaluation={"interval_coverage": 0.8, "bootstrap": 20},
    )
    return project


def test_a_prediction_comes_with_its_interval_in_the_units_of_the_raw_target(covered):
    model = load_trained_model(covered.path / "data/06_models/covered/mlp/model")
    raw = pd.read_csv(covered.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    test = raw.iloc[covered.json("04_feature/covered/mlp/split.json")["test"]]
    answers = model.predict(test, strict=False)
    assert (answers["prediction_low"] < answers["prediction"]).all()
    assert (answers["prediction"] < answers["prediction_high"]).all()
    # One half-width for all rows, in the logarithm that is learnt.
    logs = np.log1p(answers[["prediction_low", "prediction", "prediction_high"]].astype(float))
    widths = logs["prediction_high"] - logs["prediction_low"]
    assert widths.to_numpy() == pytest.approx(2 * model.manifest.interval_half_widths[0], rel=1e-4)
    inside = (answers["prediction_low"].to_numpy() <= test["area"].to_numpy()) & (
        test["area"].to_numpy() <= answers["prediction_high"].to_numpy()
    )
    found = covered.json("08_reporting/covered/mlp/metrics.json")["network"]
    assert found["interval_coverage"]["value"] == pytest.approx(inside.mean(), abs=0.011)
    width = (answers["prediction_high"].astype(float) - answers["prediction_low"].astype(float)).mean()
    assert found["interval_width"]["value"] == pytest.approx(width, rel=1e-4)


def test_the_half_width_is_that_of_the_validation_rows(covered):
    found = covered.json("06_models/covered/mlp/intervals.json")
    model = load_trained_model(covered.path / "data/06_models/covered/mlp/model")
    assert found["coverage"] == model.manifest.interval_coverage == 0.8
    raw = pd.read_csv(covered.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    rows = raw.iloc[covered.json("04_feature/covered/mlp/split.json")["validation"]]
    predicted = np.log1p(model.predict(rows, strict=False)["prediction"].to_numpy(float))
    errors = np.sort(np.abs(np.log1p(rows["area"].to_numpy()) - predicted))
    position = int(np.ceil((len(errors) + 1) * 0.8))
    assert model.manifest.interval_half_widths[0] == pytest.approx(errors[position - 1], rel=1e-4)


def test_intervals_around_quantiles_come_through_the_model_as_wide_as_each_row_is_uncertain(
    project, tmp_path
):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2, 900).round(4)
    y = (x + x * rng.normal(size=900)).round(4)
    pd.DataFrame({"x": x, "z": rng.normal(size=900).round(3), "y": y}).to_csv(
        project.path / "data/01_raw/fanned.csv", index=False
    )
    environment = project.path / "conf/fanned"
    environment.mkdir(exist_ok=True)
    (environment / "catalog.yml").write_text(
        "raw:\n  type: layerwise.datasets.SourceTable\n  path: data/01_raw\n  file: {name: fanned.csv}\n"
    )
    (environment / "parameters.yml").write_text("problem: {name: fanned, task: regression, target: y}\n")
    settings = {"interval_coverage": 0.8, "interval_method": "quantiles", "bootstrap": 20, "baselines": False}
    settings["importance_repeats"] = 1
    last = ["reporting.write_model_card_mlp"]
    project.run("mlp", env="fanned", evaluation=settings, finetuning={"epochs": 3}, to_nodes=last)
    model = load_trained_model(project.path / "data/06_models/fanned/mlp/model")
    rows = pd.read_csv(project.path / "data/01_raw/fanned.csv")
    test = rows.iloc[project.json("04_feature/fanned/mlp/split.json")["test"]]
    answers = model.predict(test)
    # A row has the same interval alone, in any company, and at every door.
    status, response = from_http(model, test.iloc[[7, 3]])
    assert status == 200
    served = pd.DataFrame(response["predictions"])[["prediction_low", "prediction_high"]]
    written = answers[["prediction_low", "prediction_high"]]
    np.testing.assert_array_equal(served, written.iloc[[7, 3]])
    np.testing.assert_array_equal(
        pyfunc(project, "fanned").predict(test.iloc[:9])[list(written)], written[:9]
    )
    inside = (answers["prediction_low"] <= test["y"].to_numpy()) & (
        test["y"].to_numpy() <= answers["prediction_high"]
    )
    found = project.json("08_reporting/fanned/mlp/metrics.json")["network"]
    assert found["interval_coverage"]["value"] == pytest.approx(inside.mean(), abs=1e-9)
    width = (answers["prediction_high"] - answers["prediction_low"]).to_numpy()
    assert found["interval_width"]["value"] == pytest.approx(width.mean(), rel=1e-4)
    # The noise is x: rows of 1.5 and more are several times as uncertain as those below a half.
    steady, noisy = (width[part].mean() for part in (test["x"] < 0.5, test["x"] > 1.5))
    assert noisy > 3 * steady
    assert 0.7 < inside.mean() < 0.92
    assert (
        "conformalized quantile regression"
        in (project.path / "data/08_reporting/fanned/mlp/model_card.md").read_text()
    )


def test_a_way_to_intervals_without_intervals_is_refused():
    with pytest.raises(ValueError, match="interval_coverage: null has no use for interval_method"):
        EvaluationSettings(interval_method="quantiles")


def test_classes_have_no_such_interval(project):
    with pytest.raises(ParameterError, match="interval_coverage is for a regression"):
        project.run("mlp", env="forest_fires_size", evaluation={"interval_coverage": 0.9})


def test_rows_count_by_their_weights_where_intervals_are_found_and_where_they_are_measured():
    columns = DataSpec(
        task="regression",
        n_inputs=1,
        n_outputs=1,
        feature_names=("x",),
        blocks=(ColumnBlock(name="x", kind="real", start=0, stop=1),),
        target_names=("y",),
        target_means=(0.0,),
        target_scales=(1.0,),
    )

    def rows(errors, weights):
        inputs = torch.zeros(len(errors), 1)
        return TensorData(inputs, torch.tensor(errors)[:, None], weights=torch.tensor(weights))

    network, settings = torch.nn.Identity(), EvaluationSettings(interval_coverage=0.5)
    # Of 4 rows of one weight the half-width is the third error; the heavy row is not among the smallest any more.
    even = find_intervals(network, rows([1.0, 2.0, 3.0, 4.0], [2.0] * 4), columns, settings)
    heavy = find_intervals(network, rows([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 3.0]), columns, settings)
    assert (even.half_widths, heavy.half_widths) == ((3.0,), (4.0,))
    test = rows([1.0, 2.0, 5.0], [1.0, 1.0, 2.0])
    scored = score_rows(network, test, columns)
    found = measure_intervals(scored, test, columns, even, NamedMetrics({})).root
    assert found["interval_coverage"].value == 0.5
    assert found["interval_width"].value == 6.0
