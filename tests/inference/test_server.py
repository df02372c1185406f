import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from helpers.ports import free_port
from helpers.running_server import ask

from layerwise.data import DataError
from layerwise.inference import ModelError
from layerwise.inference.server import _load_pyfunc

ROOT = Path(__file__).parents[2]
TABLE = "data/01_raw/forest_fires/forestfires_uci.csv"


@pytest.fixture
def logged(tmp_path, tables):
    """A model as MLflow keeps it, made without a tracking server."""
    tables.saved(tmp_path / "model", tables.table())
    mlflow.pyfunc.save_model(
        str(tmp_path / "mlflow"),
        loader_module="layerwise.inference.server",
        data_path=str(tmp_path / "model"),
        pip_requirements=[],
    )
    return tmp_path / "mlflow"


def test_mlflow_loads_a_model_that_holds_no_code(logged, tables):
    rows = tables.table()
    found = mlflow.pyfunc.load_model(str(logged)).predict(rows)
    pd.testing.assert_frame_equal(found, _load_pyfunc(str(logged / "data/model")).predict(rows))
    assert not list(logged.rglob("*.py"))
    assert not list(logged.rglob("*.pkl"))


def test_a_row_that_cannot_be_predicted_is_an_error_with_its_name(logged, tables):
    rows = tables.table().astype({"age": object})
    rows.loc[4, "age"] = "old"
    with pytest.raises(DataError, match="row 4: age is a number"):
        mlflow.pyfunc.load_model(str(logged)).predict(rows)


@pytest.mark.parametrize(
    ("path", "raw", "words"),
    [
        ("data/model/model.pkl", b"\x80\x04.", "model.pkl is not among the model's files"),
        ("data/model/sitecustomize.py", b"raise SystemExit", "sitecustomize.py is not among"),
        ("data/model/network.safetensors", b"\0" * 64, "network.safetensors was changed"),
    ],
)
def test_mlflow_refuses_a_tampered_model_with_what_is_wrong(logged, path, raw, words):
    (logged / path).write_bytes(raw)
    with pytest.raises(ModelError, match=words):
        mlflow.pyfunc.load_model(str(logged))


def wait_for(port, seconds=240):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=10):
                return
        except OSError:
            time.sleep(1)
    raise AssertionError("the server does not respond")


@pytest.fixture
def server(logged):
    port = free_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "--env-manager", "local"]
    process = subprocess.Popen(
        [*command, "-m", str(logged), "-h", "127.0.0.1", "-p", str(port)],
        cwd=logged.parent,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        start_new_session=True,
    )
    try:
        wait_for(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.mark.slow
def test_mlflows_own_server_predicts_right_rows(server, tables):
    rows = tables.table().head(3).replace({np.nan: None})
    split = rows.to_dict(orient="split")
    right = json.dumps({"dataframe_split": {"columns": split["columns"], "data": split["data"]}}).encode()
    for body, kind in ((right, "application/json"), (rows.to_csv(index=False).encode(), "text/csv")):
        status, _, text = ask(server, body=body, kind=kind)
        assert status == 200
        assert [set(row) for row in json.loads(text)["predictions"]] == [
            {"prediction", "probability_no", "probability_yes", "positive", "threshold"}
        ] * 3


def readme_commands():
    section = (ROOT / "README.md").read_text().split("## From a run to a prediction")[1].split("\n## ")[0]
    block = re.search(r"```\n(.*?)```", section, re.DOTALL)[1]
    lines = [line for line in block.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines]


def test_the_way_from_a_run_to_a_prediction_takes_five_commands():
    commands = readme_commands()
    assert len(commands) == 5
    assert [command.split()[0] for command in commands] == ["kedro", "kedro", "kedro", "kedro", "curl"]


@pytest.mark.slow
def test_the_readmes_five_commands_lead_from_a_run_to_a_prediction(fresh_project):
    train, predict, evaluate, serve, curl = readme_commands()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"}
    for command in (train, predict, evaluate):
        done = subprocess.run(
            command, shell=True, cwd=fresh_project.path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr + done.stdout
    folder = fresh_project.path / "data"
    written = (folder / "07_model_output/forest_fires_size/predict").glob("forestfires_uci_*_predictions.csv")
    predictions = pd.read_csv(next(written))
    assert len(predictions) == 517
    assert (folder / "08_reporting/forest_fires_size/evaluate/report.md").exists()
    port = free_port()
    assert "5001" in serve
    assert "5001" in curl
    server = subprocess.Popen(
        serve.rstrip("& ").replace("5001", str(port)),
        shell=True,
        cwd=fresh_project.path,
        env=environment,
        start_new_session=True,
    )
    try:
        wait_for(port)
        done = subprocess.run(
            curl.replace("5001", str(port)),
            shell=True,
            cwd=fresh_project.path,
            capture_output=True,
            check=True,
        )
        served = pd.DataFrame(json.loads(done.stdout)["predictions"])
        np.testing.assert_allclose(served["probability_large"], predictions["probability_large"], atol=1e-5)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
