"""`torchrun -m kedro run`: rank 0 is the run, the others train beside it, and a process that dies costs no bit."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
SMALL = (
    "mlp.hidden_sizes=[8],mlp.ensemble_members=1,finetuning.batch_size=500,finetuning.patience=100,"
    "evaluation.bootstrap=20"
)


def run(project, name, params, torchrun=()):
    """Start a run of the embedded digits, which torchrun starts if it is given options."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node=2", *torchrun] if torchrun else []
    command = [
        "kedro",
        "run",
        "--pipelines=mlp",
        "--env=digits",
        f"--params=problem.name={name},{SMALL},{params}",
    ]
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", *command],
        cwd=project.path,
        env={name: value for name, value in os.environ.items() if name != "LAYERWISE_DATA"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process):
    """Wait for a run to end well; return what it said."""
    said, _ = process.communicate(timeout=900)
    assert process.returncode == 0, said
    return said


def weights(project, name):
    return (project.path / f"data/06_models/{name}/mlp/model/network.safetensors").read_bytes()


def process_of_rank(rank, launcher):
    """Return the id of the process of a rank that a launcher has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == launcher and f"RANK={rank}" in (folder / "environ").read_text().split("\0"):
                return int(folder.name)
    raise LookupError(f"no process of rank {rank}")


def kill_rank_1(process, is_time):
    """Kill the process of rank 1 as soon as it is time."""
    end = time.monotonic() + 280
    while not is_time():
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process_of_rank(1, process.pid), signal.SIGKILL)


def statuses(project, name):
    return project.query(
        "select status, run_uuid from runs r join experiments e using (experiment_id) where e.name=?", name
    )


def epochs_of(project, run_id):
    epochs = project.query("select step from metrics where key='train/loss' and run_uuid=?", run_id)
    return sorted(step for (step,) in epochs)


def test_what_torchrun_starts_is_one_run_with_the_bits_of_ranks_that_the_run_starts(project):
    said = end(run(project, "outer", "finetuning.epochs=3", ["--max-restarts=0"]))
    assert said.count("Kedro project") == said.count("Registered as outer version 1") == 1
    end(run(project, "inner", "finetuning.epochs=3,compute.ranks=2"))
    assert weights(project, "outer") == weights(project, "inner")
    assert [status for status, _ in statuses(project, "outer")] == ["FINISHED"]


def test_a_rank_that_is_killed_has_torchrun_go_on_with_the_run(project):
    process = run(project, "again", "finetuning.epochs=60,checkpoints.epochs=1", ["--max-restarts=1"])
    checkpoints = project.path / "data/checkpoints/again/mlp"
    kill_rank_1(process, lambda: list(checkpoints.glob("*/*/*/*.json")))
    said = end(process)
    assert said.count("Kedro project") == 2
    end(run(project, "unbroken", "finetuning.epochs=60,checkpoints.epochs=1,compute.ranks=2"))
    assert weights(project, "again") == weights(project, "unbroken")
    ((status, run_id),) = statuses(project, "again")
    assert status == "FINISHED"
    assert epochs_of(project, run_id) == list(range(1, 61))


def test_a_rank_that_is_killed_before_the_first_checkpoint_has_torchrun_begin_anew(project):
    late = "checkpoints.epochs=1000,checkpoints.minutes=60,finetuning.epochs=100"
    process = run(project, "early", late, ["--max-restarts=1"])
    logged = "select step from metrics m join runs using (run_uuid) join experiments e using (experiment_id) "
    logged += "where e.name='early' and m.key='train/loss'"
    kill_rank_1(process, lambda: project.query(logged))
    said = end(process)
    assert said.count("Kedro project") == 2
    # Where rank 0 came to its own end, it is another run; else the same.
    *others, (status, run_id) = sorted(
        statuses(project, "early"), key=lambda each: (each[0] == "FINISHED", each)
    )
    assert status == "FINISHED"
    assert {each for each, _ in others} <= {"FAILED", "KILLED"}
    assert epochs_of(project, run_id) == list(range(1, 101))
