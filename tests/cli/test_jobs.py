"""A run whose nodes are processes of their own: opened, reported into from several sessions, and ended."""

import html
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project

from layerwise.cli import run, run_begin, run_end
from layerwise.utils import RUN_ID_VARIABLE, UserError

SMALL = {
    "linear": "evaluation.bootstrap=20",
    "mlp": "mlp.hidden_sizes=[8],finetuning.epochs=2,finetuning.patience=null,evaluation.bootstrap=20",
}
STAGES = ("preprocessing", "training", "evaluation", "reporting")


def arguments(name, pipeline="linear"):
    """What all commands of a run have in common."""
    return [
        f"--pipelines={pipeline}",
        "--env=forest_fires",
        f"--params=problem.name={name},{SMALL[pipeline]}",
    ]


def begin(project, given):
    found = CliRunner().invoke(run_begin, given, obj=bootstrap_project(project.path))
    assert found.exit_code == 0, found.output
    (run_id,) = found.stdout.splitlines()
    return run_id


def end(project, *given):
    return CliRunner().invoke(run_end, given, obj=bootstrap_project(project.path))


def run_nodes(*given):
    """Run a part of the nodes in a session of its own, as `kedro run` in the project's folder does."""
    bootstrap_project(Path.cwd())
    found = CliRunner().invoke(run, given)
    if found.exception:
        raise found.exception


def refused(*given):
    with pytest.raises(UserError) as error:
        run_nodes(*given)
    return str(error.value)


def status(project, run_id):
    return project.query("select status from runs where run_uuid=?", run_id)[0][0]


def logged(project, run_id):
    """The values of a run's metrics by name and step."""
    return sorted(project.query("select key, step, value from metrics where run_uuid=?", run_id))


def run_ids(project, experiment):
    return [
        run_id
        for (run_id,) in project.query(
            "select run_uuid from runs r join experiments e using (experiment_id) where e.name=?", experiment
        )
    ]


@pytest.fixture(scope="module")
def open_run(project):
    """The arguments and the id of a run that stays open."""
    given = arguments("opened", "mlp")
    return given, begin(project, given)


@pytest.fixture
def opened(open_run, monkeypatch):
    """The open run, which the variable names."""
    monkeypatch.setenv(RUN_ID_VARIABLE, open_run[1])
    return open_run


@pytest.fixture(scope="module")
def parts(project):
    """The ids of a run in four sessions, and of the same in one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["kedro", "run-begin", *arguments("parts")])
        run_id = begin(project, arguments("parts"))
        patch.setenv(RUN_ID_VARIABLE, run_id)
        for stage in STAGES:
            run_nodes(*arguments("parts"), f"--namespaces={stage}")
            assert status(project, run_id) == "RUNNING"
        patch.setattr("sys.argv", ["kedro", "run-end", *arguments("parts")])
        ended = end(project, *arguments("parts"))
        assert ended.exit_code == 0, ended.output
        patch.delenv(RUN_ID_VARIABLE)
        run_nodes(*arguments("whole"))
    return run_id, run_ids(project, "whole")[0]


def test_a_run_of_parts_is_one_finished_run_with_the_metrics_of_one_command(project, parts):
    assert run_ids(project, "parts") == [parts[0]]
    assert [status(project, run_id) for run_id in parts] == ["FINISHED", "FINISHED"]
    of_parts, of_one = (logged(project, run_id) for run_id in parts)
    assert "test/rmse" in {name for name, *_ in of_one}
    assert of_parts == of_one


def test_its_report_has_the_command_that_does_all_of_it_at_once(project, parts):
    page = (project.path / "data/08_reporting/parts/linear/report.html").read_text()
    assert html.escape(" ".join(["kedro run", *arguments("parts")])) in page
    assert "run-begin" not in page
    assert "run-end" not in page


def test_its_model_is_registered_once_and_predicts_what_that_of_one_command_does(project, parts):
    found = project.query("select name, version, run_id from model_versions where name in ('parts', 'whole')")
    assert sorted(found) == [("parts", 1, parts[0]), ("whole", 1, parts[1])]
    champions = project.query("select name, alias from registered_model_aliases where name='parts'")
    assert champions == [("parts", "champion")]
    of_parts, of_one = (
        project.catalog("forest_fires", problem={"name": name}).load("linear.predictions")
        for name in ("parts", "whole")
    )
    pd.testing.assert_frame_equal(of_parts, of_one)


def test_a_run_that_has_ended_takes_no_more_nodes(project, parts, monkeypatch):
    monkeypatch.setenv(RUN_ID_VARIABLE, parts[0])
    said = refused(*arguments("parts"), "--nodes=preprocessing.read_rows_linear")
    assert said == f"run {parts[0]} has ended as FINISHED: kedro run-begin opens a new one"
    assert status(project, parts[0]) == "FINISHED"


def test_a_node_waits_for_those_whose_outputs_it_reads(opened):
    given, run_id = opened
    # What an earlier run has left is not read as if it were this one's.
    said = refused(*given, "--nodes=preprocessing.split_rows_mlp")
    assert said == f"run {run_id}: what has not run: preprocessing.read_rows_mlp"


def test_another_problem_pipeline_or_parameter_than_the_runs_own_is_one_sentence(project, opened):
    given, run_id = opened
    node = "--nodes=preprocessing.read_rows_mlp"
    other = refused(*given, "--params=problem.name=opened", node)
    assert other.startswith(f"run {run_id} was opened with other parameters: ")
    place = f"run {run_id} is one of mlp on opened, and this command's is mlp on digits: "
    assert refused("--pipelines=mlp", "--nodes=preprocessing.split_rows_mlp").startswith(place)
    assert status(project, run_id) == "RUNNING"


def test_an_id_that_is_no_open_runs_is_one_sentence(project, monkeypatch):
    monkeypatch.setenv(RUN_ID_VARIABLE, "../../elsewhere")
    said = refused(*arguments("opened"))
    assert said.startswith("no run ../../elsewhere of linear on opened is open in ")
    ended = end(project, *arguments("opened"))
    assert ended.exit_code == 1
    assert ended.output.startswith("Error: no run ../../elsewhere of linear")
    monkeypatch.delenv(RUN_ID_VARIABLE)
    assert "LAYERWISE_RUN_ID is not set" in end(project, *arguments("opened")).output


def test_predictions_need_no_opened_run(project):
    given = CliRunner().invoke(run_begin, ["--pipelines=predict"], obj=bootstrap_project(project.path))
    assert given.exit_code == 1
    assert given.stdout == ""
    assert "predict is one node" in given.stderr


def test_while_a_run_is_open_no_other_one_writes_to_its_place(opened, monkeypatch):
    given, run_id = opened
    monkeypatch.delenv(RUN_ID_VARIABLE)
    said = refused(*given)
    assert f"run {run_id}, which kedro run-begin opened, writes to data/*/opened/mlp" in said


def test_a_run_with_nodes_that_have_not_finished_ends_as_failed_and_says_which(project, monkeypatch):
    given = arguments("unfinished", "mlp")
    run_id = begin(project, given)
    monkeypatch.setenv(RUN_ID_VARIABLE, run_id)
    run_nodes(*given, "--nodes=preprocessing.read_rows_mlp")
    ended = end(project, *given)
    assert ended.exit_code == 1
    first = f"Error: run {run_id}: what has not run: preprocessing.split_rows_mlp, "
    assert ended.output.startswith(first)
    assert ended.output.rstrip().endswith("The run is FAILED")
    assert status(project, run_id) == "FAILED"
    tags = dict(project.query("select key, value from tags where run_uuid=?", run_id))
    assert "what has not run: preprocessing.split_rows_mlp, " in tags["error"]


def test_a_node_that_failed_goes_on_from_its_checkpoint_and_its_epochs_are_logged_once(project, monkeypatch):
    from layerwise.checkpointing.resume import ResumableTraining

    given = arguments("again", "mlp")
    given[-1] += ",checkpoints.epochs=1,finetuning.epochs=3"
    run_id = begin(project, given)
    monkeypatch.setenv(RUN_ID_VARIABLE, run_id)
    train = "finetuning.train_network_mlp"
    run_nodes(*given, "--to-nodes=finetuning.initialize_network_mlp")
    begun, save = [], ResumableTraining.save_if_due

    def save_and_fail(training):
        save(training)
        begun.append(training.progress.epoch)
        raise OSError("the machine is gone")

    with monkeypatch.context() as patch:
        patch.setattr(ResumableTraining, "save_if_due", save_and_fail)
        with pytest.raises(OSError, match="the machine is gone"):
            run_nodes(*given, f"--nodes={train}")
    assert status(project, run_id) == "RUNNING"
    monkeypatch.setattr(
        ResumableTraining, "save_if_due", lambda self: begun.append(self.progress.epoch) or save(self)
    )
    run_nodes(*given, f"--nodes={train}")
    assert begun == [1, 2, 3]
    steps = [step for name, step, _ in logged(project, run_id) if name == "train/loss"]
    assert steps == [1, 2, 3]
    assert end(project, *given, "--failed").exit_code == 0
    assert status(project, run_id) == "FAILED"


def test_the_reason_of_a_failed_node_is_the_runs(project, monkeypatch):
    given = arguments("broken")
    run_id = begin(project, given)
    monkeypatch.setenv(RUN_ID_VARIABLE, run_id)

    def fail(*_, **__):
        raise ValueError("the disk is on fire")

    monkeypatch.setattr("pandas.DataFrame.to_parquet", fail)
    with pytest.raises(Exception, match="the disk is on fire"):
        run_nodes(*given, "--nodes=preprocessing.read_rows_linear")
    ended = end(project, *given)
    assert "preprocessing.read_rows_linear failed: " in ended.output
    assert "the disk is on fire" in ended.output
    assert status(project, run_id) == "FAILED"
