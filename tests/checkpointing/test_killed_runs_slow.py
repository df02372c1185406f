"""Hard endings that take their time: many kills, a small disk, a real tracking server, signals on the command line."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from helpers.killed_runs import (
    OFTEN,
    assert_same_outputs,
    end_of,
    networks,
    recorded_metrics,
    run_of,
    start,
    wait_for,
)
from helpers.ports import free_port
from mlflow import MlflowClient

from layerwise.checkpointing.run_directory import RunDirectory

pytestmark = pytest.mark.slow
TRAINED = {"to_nodes": ["finetuning.finetune_network_dbn"]}
LONG = {"pretraining": {"epochs": 6}, "finetuning": {"epochs": 9}, "dbn": {"hidden_sizes": [40, 30]}}


def test_thirty_kills_at_random_moments_change_nothing(project):
    project.run("dbn", problem={"name": "never_killed"}, **LONG, **TRAINED)
    rng = random.Random(0)
    place = RunDirectory(project.path / "data", "killed_often", "dbn")
    kills, moments = 0, set()
    while kills < 30:
        resume = bool(place.unfinished())
        pid = start(
            lambda resume=resume: project.run(
                "dbn", problem={"name": "killed_often"}, checkpoints=OFTEN, resume=resume, **LONG, **TRAINED
            )
        )
        deadline, ended = time.monotonic() + rng.uniform(0.1, 6), (0, 0)
        while time.monotonic() < deadline and ended == (0, 0):
            time.sleep(0.005)
            ended = os.waitpid(pid, os.WNOHANG)
        if ended == (0, 0):
            os.kill(pid, signal.SIGKILL)
            ended = os.waitpid(pid, 0)
        # It may have ended by itself just before it was to be killed.
        assert ended[1] in (0, signal.SIGKILL)
        if ended[1]:
            kills += 1
            moments |= {path.stem for path in place.folder.rglob("epoch_*.json")}
    if place.unfinished():
        project.run(
            "dbn", problem={"name": "killed_often"}, checkpoints=OFTEN, resume=True, **LONG, **TRAINED
        )
    assert len(moments) > 5
    found, whole = (networks(project, name, "dbn") for name in ("killed_often", "never_killed"))
    assert found.keys() == whole.keys()
    assert all(
        torch.equal(found[name][key], v) for name, tensors in whole.items() for key, v in tensors.items()
    )
    expected = recorded_metrics(project, run_of(project, "never_killed")[0])
    runs = project.query(
        "select run_uuid, status from runs join experiments e using (experiment_id) where e.name='killed_often'"
    )
    done = [run_id for run_id, status in runs if status == "FINISHED"]
    assert done
    for run_id in done:
        assert recorded_metrics(project, run_id) == expected
    # What was killed before it had a checkpoint is called killed by the next one.
    project.run("dbn", problem={"name": "killed_often"}, to_nodes=["preprocessing.split_rows_dbn"])
    statuses = project.query(
        "select status from runs join experiments e using (experiment_id) where e.name='killed_often'"
    )
    assert {status for (status,) in statuses} <= {"FINISHED", "KILLED"}


@pytest.fixture
def small_disk(fresh_project):
    """A project whose data lies on a disk of a few megabytes; gives the project and what makes the disk larger."""
    data = fresh_project.path / "data"
    keep = [path.readlink() for path in (data / "01_raw").iterdir()]

    def mount(*options):
        return subprocess.run(["mount", *options], capture_output=True, text=True)

    done = mount("-t", "tmpfs", "-o", "size=10m", "tmpfs", str(data))
    if done.returncode:
        pytest.skip(f"no disk of its own can be mounted: {done.stderr.strip()}")
    (data / "01_raw").mkdir()
    for target in keep:
        (data / "01_raw" / target.name).symlink_to(target)
    try:
        yield fresh_project, mount
    finally:
        subprocess.run(["umount", str(data)], check=True)


def test_a_full_disk_fails_the_run_with_its_reason_and_room_lets_it_go_on(small_disk):
    project, mount = small_disk
    data = project.path / "data"
    # A checkpoint of the second layer takes 3.4 MB, one of the fine-tuning 7 and a network 1.8.
    tables = {"env": "forest_fires", "dbn": {"hidden_sizes": [700, 600]}, **TRAINED}
    output = project.path / "output"

    def run(**more):
        sys.stdout = sys.stderr = output.open("w", buffering=1)
        try:
            project.run("dbn", checkpoints=OFTEN, **tables, **more)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)  # as the command shows it
            raise SystemExit(1) from error

    assert end_of(start(run)) == 1
    said = " ".join(output.read_text().split())
    assert "No space left on device" in said
    assert "make room" in said
    assert "Traceback" not in said
    run_id, status = project.last_run()
    assert status == "FAILED"
    assert not list(data.rglob(".*.part"))
    assert mount("-o", "remount,size=400m", str(data)).returncode == 0
    assert end_of(start(lambda: run(resume=True))) == 0, output.read_text()
    assert project.last_run() == (run_id, "FINISHED")
    project.run("dbn", problem={"name": "roomy"}, **tables)
    assert_same_outputs(project, "forest_fires", "roomy", "dbn")


def test_a_data_folder_that_becomes_read_only_is_said_before_anything_runs(small_disk):
    from layerwise.utils import FolderError

    project, mount = small_disk
    (project.path / "mlflow.db").unlink()
    assert mount("-o", "remount,ro", str(project.path / "data")).returncode == 0
    with pytest.raises(FolderError, match="data cannot be written"):
        project.run("dbn")
    assert not (project.path / "mlflow.db").exists()


class TrackingServer:
    """`mlflow server` on a port of its own; can be stopped and started again."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder, self.uri = folder, f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        mlflow = str(Path(sys.executable).with_name("mlflow"))
        place = [
            "--backend-store-uri",
            f"sqlite:///{self.folder}/server.db",
            "--artifacts-destination",
            "artifacts",
        ]
        self.process = subprocess.Popen(
            [mlflow, "server", "--port", str(self.port), "--workers", "1", *place],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(1200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.1)
        pytest.fail("the tracking server did not start")

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def tracking_server(tmp_path_factory, monkeypatch):
    server = TrackingServer(tmp_path_factory.mktemp("server"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    yield server
    with contextlib.suppress(ProcessLookupError):
        server.stop()


@pytest.mark.parametrize("for_good", [False, True], ids=["a while", "for good"])
def test_a_tracking_server_that_goes_away_gets_everything_in_the_end(
    fresh_project, tracking_server, for_good
):
    project, server = fresh_project, tracking_server
    long = {"epochs": 300 if for_good else 3000, "patience": None}
    epochs = {"finetuning": long, "mlp": {"hidden_sizes": [10]}}
    params = {
        "to_nodes": ["finetuning.train_network_mlp"],
        "problem": {"name": "served"},
        "env": "forest_fires",
        **epochs,
    }
    pid = start(lambda: project.run("mlp", checkpoints={"epochs": 50}, **params))
    folder = project.path / "data/checkpoints/served/mlp"
    wait_for(lambda: list(folder.rglob("epoch_*.json")))
    server.stop()
    kept = project.path / "data/outbox"
    wait_for(lambda: list(kept.glob("*/records.jsonl")))
    if not for_good:
        server.start()
    assert end_of(pid) == 0
    assert (project.path / "data/06_models/served/mlp/network/network.json").exists()
    if for_good:
        assert list(kept.glob("*/records.jsonl"))
        server.start()
        project.run("mlp", **{**params, "to_nodes": ["preprocessing.split_rows_mlp"]})
    assert not list(kept.glob("*/records.jsonl"))
    client = MlflowClient(server.uri)
    runs = client.search_runs(
        [client.get_experiment_by_name("served").experiment_id], order_by=["start_time"]
    )
    assert {run.info.status for run in runs} == {"FINISHED"}
    history = client.get_metric_history(runs[0].info.run_id, "train/loss")
    assert sorted(metric.step for metric in history) == list(range(1, epochs["finetuning"]["epochs"] + 1))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_command_goes_on_with_the_same_command(project, how):
    def command(problem, *more):
        small = "mlp.hidden_sizes=[30],finetuning.epochs=60,evaluation.bootstrap=10,checkpoints.epochs=1"
        given = ",".join([small, f"problem.name={problem}", *more])
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("kedro")), "run", "--pipelines=mlp", f"--params={given}"],
            cwd=project.path,
            env={**os.environ, "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    project.run("dbn", to_nodes=["preprocessing.split_rows_dbn"])  # the database is there
    whole = "uninterrupted"
    if not project.query("select * from experiments where name=?", whole):
        assert command(whole).wait(900) == 0
    place = f"interrupted_{how.name.lower()}"
    process = command(place)
    folder = project.path / "data/checkpoints" / place
    # Of quick epochs, none is kept for long enough to be waited for by its number.
    wait_for(lambda: [path for path in folder.rglob("epoch_*.json") if int(path.stem[-6:]) >= 3])
    process.send_signal(how)
    process.communicate(timeout=300)
    assert process.returncode != 0
    run_id, status = run_of(project, place)
    assert status == ("RUNNING" if how == signal.SIGKILL else "KILLED")
    again = command(place, "resume=true")
    output, _ = again.communicate(timeout=900)
    assert again.returncode == 0, output
    assert "fine-tuning goes on after: epoch" in output
    assert run_of(project, place) == (run_id, "FINISHED")
    assert_same_outputs(project, place, whole, "mlp")
