"""Trials, run by a worker in this process on the small table of forest fires."""

import json
import os
import subprocess
import sys

import mlflow
import optuna
import pytest
from conftest import SMALL, merge

from layerwise.pipeline_registry import find_objective
from layerwise.sweeping import Job, Space, SweepError, study as studies
from layerwise.sweeping.launcher import Sweep
from layerwise.sweeping.study import (
    count_done,
    count_running,
    fail_stale,
    give_back_of_process,
    note_process,
)
from layerwise.sweeping.worker import Worker

SPACE = {"finetuning.learning_rate": {"low": 0.001, "high": 0.05, "log": True}}


def make_job(project, name, trials=3, space=SPACE, **params):
    problem = f"swept_{name}"
    return Job(
        project=project.path,
        env="forest_fires",
        problem=problem,
        pipeline="mlp",
        params=merge(SMALL, {"problem": {"name": problem}, "finetuning": {"epochs": 7}} | params),
        space=Space.model_validate(space),
        objective=find_objective("mlp"),
        study=f"{problem}/mlp",
        storage=f"sqlite:///{project.path}/data/sweeps/{problem}/mlp.db",
        trials=trials,
        uri=f"sqlite:///{project.path}/mlflow.db",
    )


def begin(job, resume=False):
    """Return the launcher and a worker that its process would be."""
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(job.project)
    sweep = Sweep(job, resume)
    return sweep, Worker(sweep.job, 0, lambda: False)


def children(sweep):
    client = mlflow.MlflowClient(sweep.job.uri)
    experiment = client.get_experiment_by_name(sweep.job.problem).experiment_id
    found = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{sweep.job.run_id}'")
    return sorted(found, key=lambda run: int(run.data.tags["trial"]))


@pytest.fixture(scope="module")
def swept(project):
    sweep, worker = begin(make_job(project, "whole"))
    parameters = {"finetuning": {"learning_rate": 0.02}}
    assert sweep.enqueue(parameters)
    worker.work()
    return sweep


def test_a_study_gets_its_trials_and_the_present_settings_are_the_first(swept):
    trials = swept.study.trials
    assert [trial.state for trial in trials] == [optuna.trial.TrialState.COMPLETE] * 3
    assert trials[0].params == {"finetuning.learning_rate": 0.02}
    assert len({trial.value for trial in trials}) == 3


def test_each_trial_is_a_finished_run_below_the_sweeps_with_its_settings_and_curves(swept):
    runs = children(swept)
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
    for run, trial in zip(runs, swept.study.trials, strict=True):
        assert {name: float(value) for name, value in run.data.params.items()} == trial.params
        assert run.data.metrics["objective"] == pytest.approx(trial.value)
        history = mlflow.MlflowClient(swept.job.uri).get_metric_history(run.info.run_id, "validation/loss")
        # The weights of the best epoch are kept, and the trial is worth what they are.
        assert min(epoch.value for epoch in history) == pytest.approx(trial.value)
        assert trial.intermediate_values[3] == next(e.value for e in history if e.step == 3)


def test_the_sweeps_run_says_by_which_command_it_was_made(swept):
    run = mlflow.MlflowClient(swept.job.uri).get_run(swept.job.run_id)
    assert run.data.tags["mlflow.source.name"] == "kedro sweep --pipelines=mlp"


def test_trials_measure_no_test_rows_register_nothing_and_leave_no_files(swept, project):
    assert not [name for run in children(swept) for name in run.data.metrics if "test" in name]
    assert not list((project.path / "data").glob(f"0*/{swept.job.problem}"))
    client = mlflow.MlflowClient(swept.job.uri)
    assert not client.search_registered_models(f"name = '{swept.job.problem}'")


def test_a_trial_is_what_an_ordinary_run_with_its_settings_is(swept, project):
    best = swept.study.best_trial
    settings = {"epochs": 7, "learning_rate": best.params["finetuning.learning_rate"]}
    project.run("mlp", env="forest_fires", problem={"name": "as_swept"}, finetuning=settings)
    history = project.json("07_model_output/as_swept/mlp/finetuning_history.json")
    epoch = history["epochs"][history["best_epoch"] - 1]
    assert epoch["validation/loss"] == best.value


def test_a_study_goes_on_only_when_that_is_said_and_with_the_same_space(swept, project):
    with pytest.raises(SweepError, match="--resume goes on with it, --name=NAME begins another"):
        begin(make_job(project, "whole"))
    other = {"finetuning.learning_rate": {"low": 0.01, "high": 0.05}}
    with pytest.raises(SweepError, match="has another space"):
        begin(make_job(project, "whole", space=other), resume=True)
    with pytest.raises(SweepError, match="there is no study"):
        begin(make_job(project, "none"), resume=True)


def test_a_study_that_goes_on_has_one_parent_run_and_draws_other_settings(project):
    first, worker = begin(make_job(project, "longer", trials=2))
    worker.work()
    again, worker = begin(make_job(project, "longer", trials=4), resume=True)
    worker.work()
    assert again.is_owner
    assert again.job.run_id == first.job.run_id
    assert len(children(again)) == 4
    assert len({trial.params["finetuning.learning_rate"] for trial in again.study.trials}) == 4


def test_a_trial_that_is_stopped_early_is_a_finished_run_with_its_metrics_and_the_reason(project):
    sweep, worker = begin(make_job(project, "pruned", trials=1))
    worker.study.pruner = optuna.pruners.ThresholdPruner(upper=0.0, n_warmup_steps=3)
    worker.work()
    (run,) = children(sweep)
    assert run.info.status == "FINISHED"
    assert run.data.tags["pruned"] == "worse after epoch 3 than the median of the trials before"
    history = mlflow.MlflowClient(sweep.job.uri).get_metric_history(run.info.run_id, "validation/loss")
    assert [epoch.step for epoch in history] == [1, 2, 3]
    assert "objective" not in run.data.metrics
    assert sweep.study.trials[0].state == optuna.trial.TrialState.PRUNED


def test_a_trial_whose_worker_shall_stop_ends_within_the_epoch_and_is_run_again(project):
    sweep, worker = begin(make_job(project, "stopped", trials=1))
    asked = []
    # The loop asks once before the trial, then after each epoch.
    worker.is_over = lambda: asked.append(1) or len(asked) > 3
    worker.work()
    (run,) = children(sweep)
    assert run.info.status == "KILLED"
    history = mlflow.MlflowClient(sweep.job.uri).get_metric_history(run.info.run_id, "validation/loss")
    assert len(history) <= 3
    gone, waiting = sweep.study.trials
    assert [gone.state.name, waiting.state.name] == ["FAIL", "WAITING"]
    assert waiting.params == gone.params
    Worker(sweep.job, 0, lambda: False).work()
    assert [trial.state.name for trial in sweep.study.trials] == ["FAIL", "COMPLETE"]


def test_settings_that_cannot_be_trained_cost_their_trial_alone_and_a_sweep_of_them_ends(project):
    space = {"finetuning.momentum": {"low": 0.1, "high": 0.9}}
    sweep, worker = begin(make_job(project, "refused", trials=20, space=space))
    with pytest.raises(SweepError, match=r"none of the first 5 trials could be trained; .*momentum"):
        worker.work()
    # The training is refused, and not the search: each trial is one that was stopped.
    assert {trial.state.name for trial in sweep.study.trials} == {"PRUNED"}
    assert [run.info.status for run in children(sweep)] == ["FAILED"] * 5
    assert "momentum" in children(sweep)[0].data.tags["error"]


@pytest.mark.slow
def test_a_trial_that_diverges_prints_one_line_as_any_other(project):
    space = {"finetuning.learning_rate": {"low": 1e10, "high": 1e12}}
    params = {"finetuning": {"optimizer": "sgd", "weight_decay": 0.0, "epochs": 2}}
    sweep, _ = begin(make_job(project, "diverging", trials=2, space=space, **params))
    given = json.dumps({"job": sweep.job.model_dump(mode="json"), "slot": 0}) + "\n"
    with subprocess.Popen(
        [sys.executable, "-m", "layerwise.sweeping"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=project.path,
    ) as worker:
        worker.stdin.write(given)
        worker.stdin.flush()
        lines = worker.stdout.read().splitlines()
    assert [line.split(":")[:2] for line in lines] == [[f"trial {k}", " fine-tuning"] for k in range(2)]
    assert all("became" in line for line in lines)


def test_a_trial_whose_process_was_killed_is_run_again_at_most_three_times_and_then_another_takes_its_place(
    project,
):
    study = begin(make_job(project, "lost"))[0].study
    for attempt in range(4):
        trial = study.ask()
        assert trial.number == attempt
        note_process(trial)
        assert count_done(study) == 0
        give_back_of_process(study, os.getpid() + 1)
        assert count_running(study) == 1, "that of another process"
        give_back_of_process(study, os.getpid())
    assert [each.state.name for each in study.trials] == ["FAIL"] * 4
    assert count_done(study) == 0


def test_a_trial_whose_process_was_killed_before_it_could_say_so_is_run_again_too(project, monkeypatch):
    study = begin(make_job(project, "silent"))[0].study
    study.ask()
    fail_stale(study)
    assert count_running(study) == 1, "its process may be about to"
    monkeypatch.setattr(studies, "GRACE_SECONDS", -1)
    fail_stale(study)
    assert [each.state.name for each in study.trials] == ["FAIL", "WAITING"]
    note_process(study.ask())
    fail_stale(study)
    assert count_running(study) == 1


def test_a_worker_that_starts_while_the_server_is_away_waits_for_it(project, monkeypatch):
    from sqlalchemy.exc import OperationalError

    sweep, _ = begin(make_job(project, "away"))
    connected, away = optuna.storages.RDBStorage.__init__, [1, 2]

    def connect(storage, *args, **kwargs):
        if away:
            away.pop()
            raise OperationalError("select 1", {}, ConnectionError("Connection refused"))
        connected(storage, *args, **kwargs)

    monkeypatch.setattr(optuna.storages.RDBStorage, "__init__", connect)
    monkeypatch.setattr(studies.time, "sleep", lambda seconds: None)
    assert studies.load_study(sweep.job).study_name == sweep.job.study
    assert not away
    away.append(1)
    with pytest.raises(SweepError, match=r"the storage sqlite.* cannot be used: .*Connection refused"):
        studies.begin_study(sweep.job, resume=True)
