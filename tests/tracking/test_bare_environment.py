"""A logged model opens where there is nothing but Python: its requirements are installed, and it is asked."""

import json
import os
import subprocess
import sys
import time
import urllib.request

import pandas as pd
import pytest
from helpers.model_doors import pyfunc
from helpers.ports import free_port

QUICK_RBM = {"epochs": 1, "likelihood": {"method": "none"}, "probe": False, "classification_rbm": False}
QUICK_AUTOENCODER = {"epochs": 1, "downstream_tasks": False, "probe": False}
ASKED_SAMPLE = {"task": "sample", "seed": 3}
# The pipelines of a model of each kind, how they train one quickly, and what it is asked.
KINDS = {
    "bare.rbm": ("rbm", {"rbm": QUICK_RBM}, {"task": "encode"}),
    "bare.autoencoder": ("autoencoder", {"autoencoder": QUICK_AUTOENCODER}, {"task": "anomaly"}),
    "bare.gan": ("gan", {"gan": {"epochs": 2, "batch_size": 50, "table": {"components": 3}}}, ASKED_SAMPLE),
    "bare": ("mlp", {"finetuning": {"epochs": 1}, "evaluation": {"baselines": False}}, {"task": "predict"}),
}
ASK = """
import json, sys, mlflow, layerwise
model = mlflow.pyfunc.load_model(sys.argv[1])
answer = model.predict(model.input_example, params=json.loads(sys.argv[2]))
print(json.dumps({"from": layerwise.__file__, "answer": answer.to_dict(orient="list")}))
"""


def served(command, port, body, folder, environment):
    """Return the response of a server that is started for it."""
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(180):
                time.sleep(1)
                request = urllib.request.Request(
                    f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
                )
                try:
                    with urllib.request.urlopen(request, timeout=60) as response:
                        return json.loads(response.read())["predictions"]
                except OSError:
                    assert server.poll() is None, "the server ended"
        finally:
            server.terminate()
    raise AssertionError("no answer within three minutes")


def assert_same_cells(answer, expected):
    """Compare an answer that came as JSON, which has no types of columns, with a frame."""
    pd.testing.assert_frame_equal(pd.DataFrame(answer), expected, check_dtype=False)


@pytest.fixture(scope="module")
def models(project):
    """The folder of a logged model of each kind, and what it answers here, by its name."""
    found = {}
    for name, (pipeline, settings, asked) in KINDS.items():
        project.run(pipeline, env="forest_fires_size", problem={"name": "bare"}, **settings)
        model = pyfunc(project, name)
        folder = project.path / "mlruns/models" / model.metadata.model_id / "artifacts"
        found[name] = folder, model.predict(model.input_example, params=asked)
    return found


@pytest.fixture(scope="module")
def bare(models, tmp_path_factory):
    """The folder of a virtual environment with what the models' files say that they require, and its variables."""
    place = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    programs = place / "venv/bin"
    for folder, _ in models.values():
        command = [str(programs / "pip"), "install", "-q", "-r", "requirements.txt"]
        subprocess.run(command, cwd=folder, check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return place, environment | {"PATH": f"{programs}:{environment['PATH']}"}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_model_opens_and_is_served_in_a_bare_environment(project, models, bare, name):
    (folder, expected), (place, environment) = models[name], bare
    programs, asked = place / "venv/bin", KINDS[name][2]
    command = [str(programs / "python"), "-c", ASK, str(folder), json.dumps(asked)]
    said = subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True, text=True)
    found = json.loads(said.stdout.splitlines()[-1])
    assert str(place) in found["from"]
    assert_same_cells(found["answer"], expected)

    example = json.loads((folder / "serving_input_example.json").read_text())
    body = json.dumps(example | {"params": asked}).encode()
    port = free_port()
    command = [str(programs / "mlflow"), "models", "serve", "-m", str(folder), "--env-manager", "local"]
    answer = served([*command, "-h", "127.0.0.1", "-p", str(port)], port, body, place, environment)
    assert_same_cells(answer, expected)
    port = free_port()
    command = [str(programs / "kedro"), "serve", str(folder), "--port", str(port)]
    answer = served(command, port, body, project.path, environment)
    assert_same_cells(answer, expected)
