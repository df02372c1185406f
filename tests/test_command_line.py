import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.killed_runs import end_of, start_command

from layerwise.cli import run
from layerwise.parameters import given_parameters

KEDRO = str(Path(sys.executable).with_name("kedro"))
QUICK = "dbn.hidden_sizes=[20],pretraining.epochs=1,finetuning.epochs=2,evaluation.bootstrap=10"


def kedro(project, *arguments, command=(KEDRO,), **kwargs):
    environment = {**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, *arguments],
        cwd=project.path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell's background job ignores Ctrl-C, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **kwargs,
    )


def test_a_bare_run_of_a_small_problem_ends_well_and_is_tracked(project):
    process = kedro(project, "run", "--pipelines=dbn", "--env=forest_fires_size", f"--params={QUICK}")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    run_id, status = project.last_run()
    assert status == "FINISHED"
    assert "area" in output
    assert "decides the target" in output
    tags = dict(project.query("select key, value from tags where run_uuid=?", run_id))
    assert tags["command"].startswith("kedro run --pipelines=dbn --env=forest_fires_size")


def test_a_wrong_value_is_one_message_without_a_traceback(project):
    process = kedro(project, "run", "--pipeline=dbn", "--params=finetuning.epoch=3")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in output
    assert output.strip().splitlines()[-1] == (
        "Error: wrong parameters: finetuning: unknown parameter 'epoch'; did you mean 'epochs'?"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--tags=figure", "unknown tag 'figure' in dbn; did you mean 'figures'?"),
        (
            "--nodes=split_rows",
            "unknown node 'split_rows' in dbn; did you mean 'preprocessing.split_rows_dbn'?",
        ),
        (
            "--pipelines=mlp --to-nodes=mlp.train_network",
            "unknown node 'mlp.train_network' in mlp; did you mean 'finetuning.train_network_mlp'?",
        ),
        ("--namespaces=evaluaton", "unknown namespace 'evaluaton' in dbn; did you mean 'evaluation'?"),
        ("--to-outputs=dbn.netwrk", "unknown data set 'dbn.netwrk' in dbn; did you mean 'dbn.network'?"),
        ("--runner=ThreadRuner", "unknown runner 'ThreadRuner'; did you mean 'ThreadRunner'?"),
        ("--runner=nowhere.Runner", "unknown runner 'nowhere.Runner': No module named 'nowhere'"),
        (
            "--tags=figures --to-nodes=preprocessing.split_rows_dbn",
            "no node is left to run: the options that choose nodes have none in common",
        ),
    ],
)
def test_a_name_that_there_is_not_gets_one_line_with_the_nearest_one(project, options, message):
    with project.session():  # this process knows the project
        given = CliRunner().invoke(run, options.split())
    assert given.exit_code == 1
    assert given.output.splitlines()[-1] == f"Error: {message}"


def test_a_setting_of_another_pipeline_stops_the_run_before_its_first_node(project):
    with project.session():
        given = CliRunner().invoke(run, ["--pipelines=rbm", "--params=pretraining.init_from=digits.rbm"])
    assert "pretraining.init_from is given, and nothing in this run reads it" in str(given.exception)
    assert given_parameters.get() == {}
    # A part of a pipeline may leave out what the rest of it reads.
    with project.session():
        part = ["--pipelines=dbn", "--to-nodes=preprocessing.read_rows_dbn", "--params=pretraining.epochs=3"]
        given = CliRunner().invoke(run, part)
    assert "pretraining.epochs" not in str(given.exception)


@pytest.mark.parametrize(
    ("part", "params", "node"),
    [
        ("--from-nodes=finetuning.finetune_network_dbn", "finetuning.epochs=3", "preprocessing.choose_finetuning_dbn"),
        ("--tags=figures", "dbn.hidden_sizes=[3]", "preprocessing.choose_sizes_dbn"),
        ("--from-nodes=preprocessing.choose_finetuning_dbn", "pretraining.epochs=3", "preprocessing.choose_sizes_dbn"),
        ("--from-nodes=preprocessing.choose_finetuning_dbn", "finetuning.epochs=3", None),
    ],
)  # fmt: skip
def test_a_setting_whose_reader_lies_before_the_part_that_runs_stops_it(fresh_project, part, params, node):
    with fresh_project.session():
        given = CliRunner().invoke(run, ["--pipelines=dbn", part, f"--params={params}"])
    said = f"this part of the pipeline takes what {node} made of" in str(given.exception)
    assert said == bool(node), given.exception


def test_a_part_may_be_given_what_the_earlier_run_was(fresh_project):
    last = "--to-nodes=finetuning.initialize_network_mlp"
    for params, part, refused in (
        ("mlp.hidden_sizes=[7]", last, False),
        ("mlp.hidden_sizes=[7]", "--nodes=finetuning.initialize_network_mlp", False),
        ("mlp.hidden_sizes=[8]", "--nodes=finetuning.initialize_network_mlp", True),
        # The node that chooses the network's sizes reads it, too.
        ("finetuning.epochs=3,mlp.hidden_sizes=[7]", last, False),
        ("finetuning.epochs=3,mlp.hidden_sizes=[7]", "--nodes=finetuning.initialize_network_mlp", False),
    ):
        with fresh_project.session():
            given = CliRunner().invoke(run, ["--pipelines=mlp", part, f"--params={params}"])
        assert (" in an earlier run" in str(given.exception)) == refused, given.exception
        assert bool(given.exit_code) == refused


def test_an_error_of_a_node_keeps_its_traceback(project, monkeypatch):
    def fail(*_):
        raise ValueError("a defect")

    monkeypatch.setattr("layerwise.pipelines.preprocessing.nodes.split_labelled_rows", fail)
    with project.session():
        given = CliRunner().invoke(
            run, ["--to-nodes=preprocessing.split_rows_dbn", "--params=problem.name=defect"]
        )
    assert isinstance(given.exception, ValueError)
    assert str(given.exception) == "a defect"


def test_the_package_runs_as_a_module_too(project):
    command = (sys.executable, "-m", "layerwise")
    process = kedro(project, "--pipelines=mlp", "--to-nodes=preprocessing.split_rows_mlp", command=command)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert project.last_run()[1] == "FINISHED"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_is_marked_as_killed(project, how, tmp_path):
    project.run("dbn", to_nodes=["preprocessing.split_rows_dbn"])  # the database is there
    before = project.last_run()[0]
    long = "pretraining.epochs=100000,dbn.hidden_sizes=[50],problem.name=stopped,checkpoints.minutes=0"
    number = start_command(["run", "--pipelines=dbn", f"--params={long}"], project.path, tmp_path / "said")
    try:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            rows = project.query(
                "select r.run_uuid from runs r join latest_metrics m using (run_uuid) "
                "where m.key='pretraining/layer_1/train/reconstruction' and r.status='RUNNING'"
            )
            # Metrics are sent right before the checkpoint that may be gone on from takes its name.
            folders = [
                project.path / "data/checkpoints/stopped/dbn" / row[0] for row in rows if row[0] != before
            ]
            if any(list(folder.glob("*/*/epoch_*.json")) for folder in folders):
                break
            time.sleep(0.3)
    finally:
        os.kill(number, how)
        ended = end_of(number)
    assert ended != 0
    output = (tmp_path / "said").read_text()
    run_id, status = project.last_run()
    assert status == "KILLED"
    assert f"--params=resume={run_id}" in " ".join(output.split())


def test_the_parallel_runner_gives_one_finished_run_with_all_metrics(project, tmp_path):
    params = f"--params={QUICK},problem.name=parallel"
    arguments = ["run", "--pipelines=dbn", "--env=forest_fires", "--runner=ParallelRunner", params]
    ended = end_of(start_command(arguments, project.path, tmp_path / "said"))
    assert ended == 0, (tmp_path / "said").read_text()
    rows = project.query(
        "select r.run_uuid, r.status from runs r join experiments e using (experiment_id) where e.name='parallel'"
    )
    assert [status for _, status in rows] == ["FINISHED"]
    keys = {key for (key,) in project.query("select key from latest_metrics where run_uuid=?", rows[0][0])}
    assert {"train/loss", "validation/loss", "test/rmse", "pretraining/layer_1/train/reconstruction"} <= keys
