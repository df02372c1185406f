"""A logged model opens where there is nothing but Python: its requirements are installed, and it is asked."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pandas as pd
import pytest
from helpers.model_doors import pyfunc

ASK = """
import json, sys, mlflow, layerwise
model = mlflow.pyfunc.load_model(sys.argv[1])
answer = model.predict(model.input_example, params={"task": "encode"})
print(json.dumps({"from": layerwise.__file__, "answer": answer.to_dict(orient="list")}))
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


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


@pytest.mark.slow
def test_a_model_opens_and_is_served_in_a_bare_environment(project, tmp_path):
    rbm = {"epochs": 1, "likelihood": {"method": "none"}, "probe": False, "classification_rbm": False}
    project.run("rbm", env="forest_fires_size", problem={"name": "bare"}, rbm=rbm)
    there = pyfunc(project, "bare.rbm")
    expected = there.predict(there.input_example, params={"task": "encode"})
    model_id = there.metadata.model_id
    model = project.path / "mlruns/models" / model_id / "artifacts"

    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    programs = tmp_path / "venv/bin"
    install = [str(programs / "pip"), "install", "-q", "-r", "requirements.txt"]
    subprocess.run(install, cwd=model, check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{programs}:{environment['PATH']}"

    command = [str(programs / "python"), "-c", ASK, str(model)]
    said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    found = json.loads(said.stdout.splitlines()[-1])
    assert str(tmp_path) in found["from"]
    pd.testing.assert_frame_equal(pd.DataFrame(found["answer"]), expected)

    example = json.loads((model / "serving_input_example.json").read_text())
    body = json.dumps(example | {"params": {"task": "encode"}}).encode()
    port = free_port()
    command = [str(programs / "mlflow"), "models", "serve", "-m", str(model), "--env-manager", "local"]
    answer = served([*command, "-h", "127.0.0.1", "-p", str(port)], port, body, tmp_path, environment)
    pd.testing.assert_frame_equal(pd.DataFrame(answer), expected)
    port = free_port()
    command = [str(programs / "kedro"), "serve", str(model), "--port", str(port)]
    answer = served(command, port, body, project.path, environment)
    pd.testing.assert_frame_equal(pd.DataFrame(answer), expected)
