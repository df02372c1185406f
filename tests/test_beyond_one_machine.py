"""Runs in a PostgreSQL and an object store of their own, where these are installed."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from helpers.killed_runs import OFTEN, end_of, killed_after, networks, start
from mlflow import MlflowClient

STOP = {"to_nodes": ["finetuning.train_network_mlp"]}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def find_program(name):
    """The path of one of PostgreSQL's programs, which Debian keeps off the PATH."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None
    )
    if found is None:
        pytest.skip(f"PostgreSQL is not installed: no {name} on the PATH or in /usr/lib/postgresql")
    return found


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    """The address of a database in a server that lives as long as these tests."""
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: MLflow cannot talk to PostgreSQL")
    initdb, postgres = find_program("initdb"), find_program("postgres")
    folder = Path("/tmp") / f"layerwise_postgresql_{os.getpid()}"
    folder.mkdir()
    # It refuses to run as root.
    user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    if user:
        shutil.chown(folder, "nobody", "nogroup")
    data, port = folder / "data", free_port()
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
    subprocess.run([initdb, "-D", data, "-U", "mlflow", "-A", "trust", "--no-sync"], check=True, **options)
    flags = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-k", folder]
    server = subprocess.Popen([postgres, "-D", data, "-p", str(port), *flags], **options)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
        shutil.rmtree(folder)


@pytest.fixture
def project(fresh_project, postgresql, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgresql)
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


def test_an_object_store_takes_the_artifacts(project, postgresql, monkeypatch):
    boto3 = pytest.importorskip(
        "boto3", reason="boto3 is not installed: MLflow cannot talk to an object store"
    )
    moto = pytest.importorskip(
        "moto.server", reason="moto is not installed: there is no object store to start"
    )
    store = moto.ThreadedMotoServer(port=0, verbose=False)
    store.start()
    try:
        host, port = store.get_host_and_port()
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="bucket")
        monkeypatch.setenv("LAYERWISE_ARTIFACTS", "s3://bucket/layerwise")
        project.run("mlp", problem={"name": "stored"}, **STOP)
        client = MlflowClient(postgresql)
        (run,) = client.search_runs([client.get_experiment_by_name("stored").experiment_id])
        assert run.info.artifact_uri.startswith("s3://bucket/layerwise/stored/")
        path = "outputs/06_models/network/network.safetensors"
        saved = project.path / "data/06_models/stored/mlp/network/network.safetensors"
        assert Path(client.download_artifacts(run.info.run_id, path)).read_bytes() == saved.read_bytes()
    finally:
        store.stop()
