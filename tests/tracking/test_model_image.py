"""What MLflow would build an image from, without a daemon to build it."""

import logging
import re

import pytest
from click.testing import CliRunner
from helpers.pip import install_offline
from helpers.small_models import small_model
from mlflow.models.cli import commands
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The folder that the Dockerfile is built in, of a table's network."""
    path = tmp_path_factory.mktemp("image")
    model = small_model(path, "wine", "mlp")
    given = ["generate-dockerfile", "-m", str(model.folder), "-d", str(path / "docker")]
    result = CliRunner().invoke(commands, given, catch_exceptions=False)
    assert result.exit_code == 0
    return path / "docker"


def test_the_image_copies_the_model_and_installs_what_it_names(image):
    text = (image / "Dockerfile").read_text()
    (source,) = re.findall(r"^COPY (\S+) /opt/ml/model$", text, re.MULTILINE)
    assert (image / source / "MLmodel").is_file()
    assert "_install_pyfunc_deps('/opt/ml/model'" in text
    lines = (image / source / "requirements.txt").read_text().splitlines()
    names = [Requirement(line).name for line in lines if not line.startswith("--")]
    assert {"mlflow", "torch", "safetensors", "layerwise"} <= set(names)
    # A version with a local part is on no index: this package's alone, which the model carries.
    assert [line.partition("==")[0] for line in lines if "+" in line] == ["layerwise"]
    assert str(image) not in "".join(lines)


def test_pip_finds_the_models_own_wheel_from_another_folder(image, tmp_path):
    # MLflow runs pip in /opt/mlflow, with the path of the requirements; the other packages would come from the index.
    folder = image / "model_dir/mlflow"
    lines = (folder / "requirements.txt").read_text().splitlines()
    own = [line for line in lines if line.startswith(("--", "layerwise"))]
    (folder / "own.txt").write_text("\n".join(own))
    install_offline(tmp_path / "x", "-r", str(folder / "own.txt"), cwd=tmp_path)
    assert (tmp_path / "x/layerwise/__init__.py").is_file()


def test_storing_a_model_warns_of_nothing(tmp_path, monkeypatch):
    warned = []
    handler = logging.Handler(logging.WARNING)
    monkeypatch.setattr(handler, "emit", lambda record: warned.append(record.getMessage()))
    logger = logging.getLogger("mlflow")
    logger.addHandler(handler)
    small_model(tmp_path, "wine", "mlp")
    logger.removeHandler(handler)
    assert warned == []
