"""A study in a PostgreSQL of the test's own, where one is installed, with several commands at work."""

import subprocess
import sys
import time
from pathlib import Path

import optuna
import psutil
import pytest
from helpers.killed_runs import wait_for
from helpers.postgresql import PostgreSQL

pytestmark = pytest.mark.slow
KEDRO = str(Path(sys.executable).with_name("kedro"))
SPACE = "mlp:\n  finetuning.learning_rate: {low: 0.001, high: 0.05, log: true}\n"
PARAMS = (
    "--params=finetuning.epochs=400,finetuning.patience=null,mlp.hidden_sizes=[16],mlp.ensemble_members=1"
)


@pytest.fixture
def server():
    pytest.importorskip("psycopg", reason="psycopg is not installed: Optuna cannot talk to PostgreSQL")
    found = PostgreSQL()
    yield found
    found.remove()


def sweep_command(project, server):
    """Write the space into a project; return the command of four trials in the server."""
    (project.path / "space.yml").write_text(SPACE)
    command = [KEDRO, "sweep", "--pipelines=mlp", "--env=forest_fires", "--space=space.yml"]
    return [*command, "--trials=4", f"--storage={server.uri}", PARAMS]


def trials(server):
    """The trials of the only study, or none before there is one."""
    names = optuna.get_all_study_names(server.uri)
    return optuna.load_study(study_name=names[0], storage=server.uri).trials if names else []


def test_two_commands_have_one_study_that_outlives_a_killed_worker(fresh_project, server):
    path, command = fresh_project.path, sweep_command(fresh_project, server)

    def states():
        return [each.state.name for each in trials(server)]

    first = subprocess.Popen(command, cwd=path, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: "RUNNING" in states())
    second = subprocess.Popen(command, cwd=path, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: states().count("RUNNING") == 2)
    next(
        each for each in psutil.Process(first.pid).children() if "layerwise.sweeping" in each.cmdline()
    ).kill()
    wait_for(lambda: "FAIL" in states())
    said = [each.communicate()[0] for each in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    found = trials(server)
    assert sum(each.state.name in ("COMPLETE", "PRUNED") for each in found) == 4
    assert {each.state.name for each in found} <= {"COMPLETE", "PRUNED", "FAIL"}
    # The command that made the study trains the best settings, and both know which they are.
    assert ["Now they are trained" in each for each in said] == [True, False]
    (best,) = {each.split("The best is trial ")[1].split(":")[0] for each in said}
    assert int(best) == min((t for t in found if t.state.name == "COMPLETE"), key=lambda t: t.value).number
    runs = fresh_project.query("select name, status from runs where name not like 'trial%'")
    assert sorted(runs) == [("mlp", "FINISHED"), ("sweep mlp", "FINISHED")]
    assert not fresh_project.query("select * from runs where status = 'RUNNING'")


def test_a_server_that_is_started_anew_ends_no_sweep_and_one_that_was_killed_goes_on(fresh_project, server):
    command = sweep_command(fresh_project, server)

    def done():
        return [each for each in trials(server) if each.state.name in ("COMPLETE", "PRUNED")]

    def restart():
        server.stop()
        time.sleep(3)
        server.start()

    sweep = subprocess.Popen(command, cwd=fresh_project.path)
    wait_for(lambda: trials(server))
    restart()
    wait_for(done)
    workers = psutil.Process(sweep.pid).children()
    sweep.kill()
    sweep.wait()
    psutil.wait_procs(workers, timeout=60)
    assert not any(each.is_running() for each in workers)
    restart()
    before = {each.number: each.value for each in done()}
    assert len(before) < 4
    subprocess.run([*command, "--resume"], cwd=fresh_project.path, check=True)
    after = {each.number: each.value for each in done()}
    assert len(after) == 4
    assert before.items() <= after.items()
    assert not [each for each in trials(server) if each.state.name == "RUNNING"]
    runs = fresh_project.query("select name, status from runs where name not like 'trial%'")
    assert sorted(runs) == [("mlp", "FINISHED"), ("sweep mlp", "FINISHED")]
