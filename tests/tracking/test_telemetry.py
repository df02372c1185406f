"""No command of the project's own tells anybody that it was used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Python runs it before anything else: each look-up of a name and each connection is a line.
WATCH = """
import sys

def watch(event, arguments, path={path!r}):
    if event == "socket.getaddrinfo":
        host = str(arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
    else:
        return
    with open(path, "a") as file:
        file.write(event + " " + host + "\\n")

sys.addaudithook(watch)
"""
LOG_A_RUN = """
import layerwise.cli
from pathlib import Path

import mlflow

from layerwise.tracking import tracking_uri

client = mlflow.MlflowClient(tracking_uri(Path.cwd()))
client.set_terminated(client.create_run("0").info.run_id)
"""
# By any of these MLflow and Kedro hold their tongue anyway.
QUIET = ("PYTEST", "CI", "GITHUB", "GITLAB", "MLFLOW", "KEDRO", "DO_NOT_TRACK", "CODEX", "BUILD", "TF_BUILD")


@pytest.fixture
def watched(fresh_project, tmp_path):
    """Return what a command looked up and connected to, without this machine's consent to telemetry or its refusal."""
    (fresh_project.path / ".telemetry").unlink()
    folder = tmp_path / "watch"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WATCH.format(path=str(folder / "seen")))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(QUIET)}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [environment.get("PYTHONPATH")])])

    def run(*command):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=fresh_project.path,
            env=environment,
            capture_output=True,
            text=True,
        )
        seen = folder / "seen"
        return done, seen.read_text().splitlines() if seen.exists() else []

    return run


def test_a_look_up_and_a_connection_would_be_seen(watched):
    _, seen = watched(
        "-c", "import socket\ntry: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError: pass"
    )
    assert seen == ["socket.getaddrinfo 127.0.0.1", "socket.connect 127.0.0.1"]


def test_a_command_that_uses_mlflow_connects_to_nothing(watched, fresh_project):
    (fresh_project.path / "mlflow.db").unlink()
    done, seen = watched("-c", LOG_A_RUN)
    assert done.returncode == 0, done.stderr
    assert seen == []
    assert (fresh_project.path / "mlflow.db").exists()


@pytest.mark.slow
def test_kedros_commands_connect_to_nothing(watched):
    kedro = str(Path(sys.executable).with_name("kedro"))
    options = [
        "--pipelines=mlp",
        "--env=forest_fires_size",
        "--params=finetuning.epochs=1,evaluation.baselines=false",
    ]
    for command in (["run", *options], ["champion", "forest_fires_size"], ["registry", "list"]):
        done, seen = watched(kedro, *command)
        assert done.returncode == 0, done.stderr
        assert seen == []
