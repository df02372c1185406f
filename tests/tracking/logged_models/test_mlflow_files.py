"""The files around a logged model are what MLflow's own function writes of the same parts."""

import json

import pytest
import yaml
from helpers.small_models import small_model
from mlflow import pyfunc
from mlflow.models import Model

from layerwise.inference import MLMODEL_SHA256

# Of the moment and of the folder's size on disk, which MLflow takes before it writes the last files.
VARYING = {"model_uuid", "utc_time_created", "model_size_bytes"}


@pytest.mark.parametrize(("rows", "kind"), [("mixed", "mlp"), ("digits", "autoencoder")])
def test_a_model_has_the_files_that_mlflow_writes(tmp_path, rows, kind):
    own = small_model(tmp_path, rows, kind).folder
    read = Model.load(own)
    theirs = tmp_path / "theirs"
    pyfunc.save_model(
        theirs,
        loader_module="layerwise.inference.server",
        data_path=str(tmp_path / "saved"),
        mlflow_model=Model(metadata={MLMODEL_SHA256: read.metadata[MLMODEL_SHA256]}),
        signature=read.signature,
        input_example=read.load_input_example(str(own)),
        conda_env=yaml.safe_load((own / "conda.yaml").read_text()),
    )
    wheels = {each for each in _files(own) if each.startswith("wheels/")}
    assert _files(own) - wheels == _files(theirs)
    for name in ("requirements.txt", *(each for each in _files(own) if each.startswith("data/"))):
        assert (own / name).read_bytes() == (theirs / name).read_bytes(), name
    for name in ("input_example.json", "serving_input_example.json"):
        assert json.loads((own / name).read_text()) == json.loads((theirs / name).read_text())
    assert _yaml(own / "conda.yaml") == _yaml(theirs / "conda.yaml")
    assert _yaml(own / "python_env.yaml").keys() == _yaml(theirs / "python_env.yaml").keys()
    described, expected = _yaml(own / "MLmodel"), _yaml(theirs / "MLmodel")
    assert expected["flavors"]["python_function"].pop("code") is None
    assert described.keys() == expected.keys()
    differing = {name for name in described if described[name] != expected[name]}
    assert differing <= VARYING


def _files(folder):
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def _yaml(path):
    return yaml.safe_load(path.read_text())
