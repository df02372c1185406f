import re
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import pyfunc, tracking_uri

import layerwise
from layerwise.data import DataError
from layerwise.inference import ModelError
from layerwise.inference.tasks import TaskError


def test_a_loaded_model_answers_as_pyfunc_does(project, fires):
    model = layerwise.load("asked.rbm@champion", tracking_uri(project))
    other = pyfunc(project, "asked.rbm")
    pd.testing.assert_frame_equal(model.encode(fires), other.predict(fires))
    scored = other.predict(fires, params={"task": "anomaly", "contamination": 0.2})
    pd.testing.assert_frame_equal(model.score(fires, contamination=0.2), scored)
    drawn = other.predict(pd.DataFrame(), params={"task": "sample", "n": 4, "seed": 2, "steps": 9})
    pd.testing.assert_frame_equal(model.sample(4, seed=2, steps=9), drawn)
    assert model.sample(given=pd.DataFrame({"month": ["aug"]}), seed=1, steps=3)["month"].tolist() == ["aug"]
    both = model.sample(3, {"month": "aug", "day": "sun"}, seed=1, steps=3)
    assert both[["month", "day"]].drop_duplicates().to_numpy().tolist() == [["aug", "sun"]]
    assert len(both) == 3
    with pytest.raises(DataError, match="the table has no column 'moth'; did you mean 'month'"):
        model.sample(3, {"moth": "aug"})
    assert repr(model).startswith("<asked.rbm version ")


def test_images_come_as_arrays(project, images):
    model = layerwise.load("asked_digits.autoencoder", tracking_uri(project))
    pixels = images[1].to_numpy().reshape(-1, 28, 28)
    np.testing.assert_array_equal(model.encode(pixels), model.encode(images[1]))
    assert model.reconstruct(pixels).shape == (12, 784)
    with pytest.raises(DataError, match="images of 9 pixels do not fit a network of 784"):
        model.encode(np.zeros((2, 3, 3)))


def test_a_project_is_found_from_a_folder_within_it(project, fires, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(project.path / "data")
    assert "encode" in layerwise.load("asked.autoencoder").tasks


def test_a_model_is_found_by_its_name_without_a_list_of_all_models(project, fires, monkeypatch):
    def listed(*_, **__):
        raise AssertionError("all models were listed")

    monkeypatch.setattr("mlflow.MlflowClient.search_registered_models", listed)
    assert "encode" in layerwise.load("asked.rbm@champion", tracking_uri(project)).tasks


def test_what_a_model_lacks_is_refused_and_so_is_an_unknown_name(project, fires):
    model = layerwise.load("asked.autoencoder", tracking_uri(project))
    with pytest.raises(TaskError, match="has no task predict; its tasks: encode, anomaly"):
        model.predict(fires)
    with pytest.raises(ModelError, match=r"no model is registered as 'asked\.rbmm'"):
        layerwise.load("asked.rbmm", tracking_uri(project))


README = Path(__file__).parents[3] / "README.md"
# The README shows bank customers, whose file is no part of the tests: these are fires.
NAMES = {"churn": "asked", '{"Geography": ["France"], "Age": [40]}': '{"month": ["aug"], "temp": [20.0]}'}


def test_the_screen_of_python_in_the_readme_runs_as_it_stands(project, fires, monkeypatch):
    quick = {
        "epochs": 1,
        "samples": 100,
        "baselines": False,
        "generator_sizes": [8],
        "discriminator_sizes": [8],
    }
    environment = {"env": "forest_fires_size", "problem": {"name": "asked"}}
    evaluation = {"bootstrap": 0, "baselines": False}
    project.run("mlp", **environment, finetuning={"epochs": 1}, evaluation=evaluation)
    project.run("gan", **environment, gan=quick)
    monkeypatch.chdir(project.path)
    fires.head(20).to_csv("rows.csv", index=False)
    screen, estimator = (
        re.search(rf"```python\n({first}.*?)```", README.read_text(), re.DOTALL)[1]
        for first in ("import layerwise", "from layerwise.estimators")
    )
    # A network of ratings has tests of its own.
    screen = "\n".join(line for line in screen.splitlines() if "recommend" not in line)
    for shown, asked in NAMES.items():
        screen = screen.replace(shown, asked)
    # Each line that asks says what it gives: a frame with an answer for each row, or a list of tasks.
    asked = [line for line in screen.splitlines() if re.match(r"(layerwise|model)\.", line)]
    assert len(asked) >= 8
    names = {"table": fires[["temp", "wind", "month"]], "labels": fires["month"].isin(["aug", "sep"])}
    mlflow.set_tracking_uri(tracking_uri(project))
    try:
        exec(screen, names)
    finally:
        mlflow.set_tracking_uri(None)
    estimator = estimator.replace("random_state=0", "random_state=0, epochs=2")  # that it runs is asked
    exec(estimator, names | {"rows": names["rows"][["temp", "wind", "month"]]})
    assert Path("churn_model/estimator.json").exists()
    for line in asked:
        if not line.startswith("model.predict") and "tasks" not in line:
            found = eval(line.partition("  #")[0], names | {"model": layerwise.load("asked.autoencoder")})
            assert len(found) == (1000 if "1000" in line else 1 if "given" in line else 20)
