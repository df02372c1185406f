"""The command itself, with its processes."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from helpers.killed_runs import wait_for
from kedro.framework.startup import bootstrap_project

from layerwise.cli.sweep import make_job
from layerwise.sweeping import SweepError, require_optuna

KEDRO = str(Path(sys.executable).with_name("kedro"))
SPACE = "mlp:\n  finetuning.learning_rate: {low: 0.001, high: 0.05, log: true}\n"
PARAMS = (
    "--params=finetuning.epochs=400,finetuning.patience=null,mlp.hidden_sizes=[16],mlp.ensemble_members=1"
)


def test_without_optuna_one_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SweepError, match=r'pip install "layerwise\[sweep\]"'):
        require_optuna()


def rows(path, sql):
    with sqlite3.connect(path) as database:
        return database.execute(sql).fetchall()


def workers(launcher):
    found = psutil.Process(launcher.pid).children()
    return [each for each in found if "layerwise.sweeping" in each.cmdline()]


@pytest.mark.slow
def test_a_killed_worker_costs_no_trial_and_a_stopped_sweep_goes_on(fresh_project):
    path = fresh_project.path
    (path / "space.yml").write_text(SPACE)
    command = [
        KEDRO,
        "sweep",
        "--pipelines=mlp",
        "--env=forest_fires",
        "--space=space.yml",
        "--trials=3",
        PARAMS,
    ]
    study = path / "data/sweeps/forest_fires/mlp.db"

    def states():
        # The file is there before its tables are.
        there = study.exists() and rows(study, "select * from sqlite_master where name = 'trials'")
        found = rows(study, "select state from trials order by number") if there else []
        return [state for (state,) in found]

    def assert_all_is_over(worker):
        assert not worker.is_running()
        assert "RUNNING" not in states()
        assert rows(path / "mlflow.db", "select status from runs where name like 'sweep%'") == [("KILLED",)]
        assert not rows(path / "mlflow.db", "select * from runs where status = 'RUNNING'")

    launcher = subprocess.Popen(command, cwd=path)
    wait_for(
        lambda: (
            "RUNNING" in states() and rows(study, "select * from trial_user_attributes where key = 'process'")
        )
    )
    workers(launcher)[0].kill()
    wait_for(lambda: "COMPLETE" in states())
    # The killed trial and its repetition: none waited for the heart to be found silent.
    assert states()[:2] == ["FAIL", "COMPLETE"]
    (worker,) = workers(launcher)
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait() == 143
    assert_all_is_over(worker)

    # Ctrl-C in a terminal reaches every process of its group.
    resume = [*command, "--resume"]
    launcher = subprocess.Popen(resume, cwd=path, start_new_session=True, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: "RUNNING" in states())
    (worker,) = workers(launcher)
    os.killpg(launcher.pid, signal.SIGINT)
    asked = time.monotonic()
    _, said = launcher.communicate()
    assert time.monotonic() - asked < 60, "an epoch takes milliseconds"
    assert launcher.returncode == 1
    assert "Stopped. The same command with --resume goes on with the study" in said
    assert_all_is_over(worker)

    subprocess.run(resume, cwd=path, check=True)
    assert states().count("COMPLETE") + states().count("PRUNED") == 3
    assert not {"RUNNING", "WAITING"}.intersection(states())
    # The best one was trained and evaluated once, by a run of its own.
    assert rows(path / "mlflow.db", "select status from runs where name = 'mlp'") == [("FINISHED",)]
    assert (path / "data/sweeps/forest_fires/mlp.yml").exists()


def test_a_sweep_whose_trials_would_train_in_ranks_is_refused(project):
    bootstrap_project(project.path)
    with pytest.raises(SweepError, match=r"leave compute\.ranks at 1 and give --workers"):
        make_job(project.path, "mlp", "forest_fires_size", {"compute": {"ranks": 2}}, None, None, "one")


@pytest.mark.parametrize("params", [{"seeds": 3}, {"grid": {"learning_rate": [0.1, 0.2]}}])
def test_a_trial_trains_one_network_so_that_seeds_and_a_grid_are_refused(project, params):
    bootstrap_project(project.path)
    with pytest.raises(SweepError, match="a sweep takes neither seeds nor a grid"):
        make_job(project.path, "mlp", "forest_fires_size", params, None, None, "one")
