"""Models that somebody changed, each in one way: what the torture in `benchmarks/` counts, in small."""

import hashlib
import importlib.util
import json
import os
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from layerwise.inference import ModelError, load_trained_model

FILE = Path(__file__).parents[2] / "benchmarks/torture/tampered.py"


@pytest.fixture(scope="module")
def torture():
    spec = importlib.util.spec_from_file_location("tampered", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def saved(torture, tmp_path_factory):
    """The folder of a model as MLflow keeps it, and the hash of its manifest."""
    folder = tmp_path_factory.mktemp("right") / "model"
    return folder, torture.save_model(folder)


def test_each_kind_of_change_is_refused_at_every_door_with_a_sentence(torture, saved):
    folder, sha256 = saved
    opened = [torture.outcome(opens, folder) for opens in torture.doors(sha256).values()]
    assert opened == ["opened"] * 3
    kinds = len(torture.CHANGES) + 1
    counts = torture.tamper(folder, sha256, kinds, seed=3)
    assert {found for _, found in counts} == {"refused"}
    assert sum(counts.values()) == 3 * kinds - 1


def write_threshold(folder, value):
    path = folder / "data/model/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"threshold": value}))


def test_mlflow_refuses_a_manifest_that_mlmodel_does_not_name(torture, tmp_path):
    torture.save_model(tmp_path / "model")
    mlflow.pyfunc.load_model(str(tmp_path / "model"))
    write_threshold(tmp_path / "model", 0.0)
    with pytest.raises((ModelError, MlflowException), match="not the one that was registered"):
        mlflow.pyfunc.load_model(str(tmp_path / "model"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"threshold": NaN}', "NaN is no finite number"),
        ('{"interval_half_widths": [1e999]}', "1e999 is no finite number"),
        ('{"threshold": 0.5, "threshold": 0.0}', "a name is there twice"),
    ],
)
def test_a_manifest_has_finite_numbers_and_each_name_once(tmp_path, text, words):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ModelError, match=words):
        load_trained_model(tmp_path)


def test_a_pipe_is_never_opened_even_if_the_manifest_names_it(tmp_path):
    os.mkfifo(tmp_path / "network.json")
    manifest = {"problem": "t", "files": {"network.json": hashlib.sha256(b"").hexdigest()}}
    (tmp_path / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"network\.json is no plain file"):
        load_trained_model(tmp_path)
    (tmp_path / "model.json").unlink()
    os.mkfifo(tmp_path / "model.json")
    with pytest.raises(ModelError, match=r"model\.json is no plain file"):
        load_trained_model(tmp_path)
