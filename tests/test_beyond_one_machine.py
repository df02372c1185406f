"""Runs in a PostgreSQL and an object store of their own, where these are installed."""

import os
import signal
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from helpers.killed_runs import OFTEN, end_of, killed_after, networks, start, wait_for
from helpers.object_store import object_store
from helpers.ports import free_port
from helpers.postgresql import PostgreSQL
from mlflow import MlflowClient

from layerwise.tracking.runs import TrackingError

STOP = {"to_nodes": ["finetuning.train_network_mlp"]}


@pytest.fixture(scope="module")
def server():
    """A database server that lives as long as these tests."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: MLflow cannot talk to PostgreSQL")
    found = PostgreSQL()
    yield found
    found.remove()


@pytest.fixture
def postgresql(server):
    return server.uri


@pytest.fixture
def project(fresh_project, postgresql, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgresql)
    (fresh_project.path / "mlflow.db").unlink()  # no run may make another one
    return fresh_project


def test_a_run_in_postgresql_is_killed_and_goes_on(project, postgresql):
    # Connections of a process are none of its children's: each run has a process of its own.
    assert end_of(start(lambda: project.run("mlp", problem={"name": "whole"}, **STOP))) == 0
    assert killed_after(2, project, "mlp", problem={"name": "killed"}, **STOP) == -signal.SIGKILL
    again = {"problem": {"name": "killed"}, "resume": True, "checkpoints": OFTEN}
    assert end_of(start(lambda: project.run("mlp", **again, **STOP))) == 0
    assert not (project.path / "mlflow.db").exists()
    client = MlflowClient(postgresql)
    histories = []
    for name in ("whole", "killed"):
        experiment = client.get_experiment_by_name(name)
        (run,) = client.search_runs([experiment.experiment_id])
        assert run.info.status == "FINISHED"
        histories.append(
            {
                metric: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, metric)]
                for metric in run.data.metrics
            }
        )
        assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"outputs"}
        assert run.info.artifact_uri.startswith((project.path / "mlruns").as_uri())
    assert histories[0] == histories[1]
    assert [step for step, _ in histories[0]["train/loss"]] == [1, 2, 3]
    assert networks(project, "whole", "mlp").keys() == networks(project, "killed", "mlp").keys()


@pytest.mark.slow
def test_a_database_that_goes_away_in_mid_run_gets_the_model_from_the_next_command(project, server):
    long = {"finetuning": {"epochs": 300, "patience": None}, "mlp": {"hidden_sizes": [10]}}
    here = {"env": "forest_fires", "problem": {"name": "restarted"}}
    output = project.path / "output"

    def run():
        sys.stdout = sys.stderr = output.open("w", buffering=1)
        project.run("mlp", checkpoints={"epochs": 50}, **here, **long)

    pid = start(run)
    wait_for(lambda: list((project.path / "data/checkpoints/restarted/mlp").rglob("epoch_*.json")))
    server.stop()
    try:
        assert end_of(pid) == 0, output.read_text()
    finally:
        server.start()
    # One warning, and no traceback of MLflow's or SQLAlchemy's.
    assert "Traceback" not in output.read_text()
    assert list((project.path / "data/outbox").glob("*/models/mlp.network/item.json"))
    assert end_of(start(lambda: project.run("mlp", to_nodes=["preprocessing.split_rows_mlp"], **here))) == 0
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("restarted").experiment_id
    runs = client.search_runs([experiment], order_by=["start_time"])
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
    (version,) = client.search_model_versions("name='restarted'")
    assert version.run_id == runs[0].info.run_id
    assert len(client.get_metric_history(version.run_id, "train/loss")) == 300
    assert not list((project.path / "data/outbox").iterdir())


def test_a_database_that_is_away_is_said_at_once(fresh_project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"postgresql://mlflow@127.0.0.1:{free_port()}/postgres")
    with pytest.raises(TrackingError, match=r"it does not answer: start it.*refused"):
        fresh_project.run("mlp")
    with FileLock(fresh_project.path / "data/checkpoints/tracking.lock", blocking=False):
        pass


def test_an_object_store_takes_the_artifacts(project, postgresql, monkeypatch):
    with object_store(monkeypatch):
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", os.environ["AWS_ENDPOINT_URL"])
        monkeypatch.setenv("LAYERWISE_ARTIFACTS", "s3://bucket/layerwise")
        project.run("mlp", problem={"name": "stored"}, **STOP)
        client = MlflowClient(postgresql)
        (run,) = client.search_runs([client.get_experiment_by_name("stored").experiment_id])
        assert run.info.artifact_uri.startswith("s3://bucket/layerwise/stored/")
        path = "outputs/06_models/network/network.safetensors"
        saved = project.path / "data/06_models/stored/mlp/network/network.safetensors"
        assert Path(client.download_artifacts(run.info.run_id, path)).read_bytes() == saved.read_bytes()
