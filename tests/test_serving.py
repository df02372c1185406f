import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerwise.data.preparation import fit_preparation, save_preparation
from layerwise.data.problem import PreparationSettings, Problem, SplitSettings
from layerwise.data.splits import split_raw
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.models.store import save_network
from layerwise.seeding import generator_for
from layerwise.serving import predict_folder


def saved(folder, frame, threshold=0.5, **problem):
    """Save an untrained network for the table, and return its preparation."""
    problem = Problem(name="t", **problem)
    split = split_raw(frame, problem, SplitSettings(), 0)
    fitted = fit_preparation(frame, split, problem, PreparationSettings(), 0)
    columns = fitted.description
    network = MLP(MLPConfig(n_inputs=columns.n_inputs, n_outputs=columns.n_outputs), generator_for(0, "w"))
    save_network(network, folder)
    save_preparation(fitted, folder / "preparation")
    (folder / "decision.json").write_text(json.dumps({"threshold": threshold}))
    return fitted, network


@pytest.fixture
def frame():
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": generator.normal(40, 9, 200),
            "city": generator.choice(["rome", "oslo"], 200),
            "left": generator.choice(["no", "yes"], 200),
            "cost": generator.normal(1000, 50, 200),
            "a": generator.integers(0, 2, 200),
            "b": generator.integers(0, 2, 200),
        }
    )


def test_a_binary_networks_decision_follows_the_saved_threshold(tmp_path, frame):
    saved(tmp_path, frame, threshold=0.0, task="binary", target="left", positive="yes", drop=["a", "b"])
    found = predict_folder(tmp_path, frame.drop(columns="left"))
    assert list(found) == ["prediction", "probability_no", "probability_yes"]
    assert set(found["prediction"]) == {"yes"}
    np.testing.assert_allclose(found["probability_no"] + found["probability_yes"], 1, rtol=1e-6)


def test_a_regressions_predictions_are_in_the_targets_own_units(tmp_path, frame):
    saved(tmp_path, frame, task="regression", target="cost", drop=["left"])
    found = predict_folder(tmp_path, frame)
    assert list(found) == ["prediction"]
    assert found["prediction"].between(500, 1500).all()


def test_each_label_of_many_has_a_probability(tmp_path, frame):
    saved(tmp_path, frame, task="multilabel", target=["a", "b"])
    assert list(predict_folder(tmp_path, frame)) == ["probability_a", "probability_b"]


@pytest.mark.slow
def test_a_served_model_answers_raw_rows(project):
    project.run("mlp", env="forest_fires")
    run_id, _ = project.last_run()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{project.path}/mlflow.db"}
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "--env-manager", "local"]
    server = subprocess.Popen(
        [*command, "-m", f"runs:/{run_id}/model", "-h", "127.0.0.1", "-p", str(port)],
        cwd=project.path,
        env={**environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        start_new_session=True,
    )
    try:
        rows = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv").head(3)
        body = json.dumps({"dataframe_split": rows.to_dict(orient="split")}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
        )
        deadline = time.monotonic() + 120
        answer = None
        while answer is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(request, timeout=10) as response:
                    answer = json.load(response)
            except OSError:
                time.sleep(1)
        assert answer is not None
        assert len(answer["predictions"]) == 3
        assert all(np.isfinite(row["prediction"]) for row in answer["predictions"])
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
