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


def test_what_a_model_lacks_is_refused_and_so_is_an_unknown_name(project, fires):
    model = layerwise.load("asked.autoencoder", tracking_uri(project))
    with pytest.raises(TaskError, match="does not predict; it does: encode, anomaly"):
        model.predict(fires)
    with pytest.raises(ModelError, match=r"no model is registered as 'asked\.rbmm'"):
        layerwise.load("asked.rbmm", tracking_uri(project))
