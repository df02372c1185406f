"""Each node of a pipeline in a process of its own, as an orchestrator starts them."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from jobs.plan import plan_of

pytestmark = pytest.mark.slow
SMALL = "mlp.hidden_sizes=[8],finetuning.epochs=2,evaluation.bootstrap=20"


def arguments(name):
    return ["--pipelines=mlp", "--env=forest_fires", f"--params=problem.name={name},{SMALL}"]


def kedro(project, *given, run_id=""):
    """Run a command to its end; return what it printed on the standard output."""
    environment = {**os.environ, "LAYERWISE_RUN_ID": run_id}
    process = subprocess.run(
        [sys.executable, "-m", "kedro", *given],
        cwd=project.path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def run_jobs(project, given, jobs, run_id):
    """Run each job once those before it have ended, two at a time."""
    running = {}

    def run_job(job):
        for before in job["after"]:
            running[before].result()
        kedro(project, "run", *given, job["option"], run_id=run_id)

    # In an order in which they can run: none of the two waits for one that has not begun.
    with ThreadPoolExecutor(2) as pool:
        for job in jobs:
            running[job["name"]] = pool.submit(run_job, job)
        for each in running.values():
            each.result()


def test_a_pipeline_node_by_node_in_fresh_processes_is_one_finished_run_like_that_of_one_command(project):
    given = arguments("jobs")
    run_id = kedro(project, "run-begin", *given).removesuffix("\n")
    jobs = plan_of(project.path, given, "node")["jobs"]
    assert len(jobs) > 20
    run_jobs(project, given, jobs, run_id)
    kedro(project, "run-end", *given, run_id=run_id)
    kedro(project, "run", *arguments("command"))
    runs = project.query(
        "select e.name, run_uuid, status from runs r join experiments e using (experiment_id) "
        "where e.name in ('jobs', 'command')"
    )
    ids = {name: run_uuid for name, run_uuid, _ in runs}
    assert ids["jobs"] == run_id
    assert sorted((name, status) for name, _, status in runs) == [
        ("command", "FINISHED"),
        ("jobs", "FINISHED"),
    ]
    logged = {
        name: sorted(project.query("select key, step, value from metrics where run_uuid=?", ids[name]))
        for name in ids
    }
    assert {("train/loss", step) for step in (1, 2)} <= {(key, step) for key, step, _ in logged["jobs"]}
    assert logged["jobs"] == logged["command"]
    weights = [
        (project.path / f"data/06_models/{name}/mlp/model/network.safetensors").read_bytes() for name in ids
    ]
    assert weights[0] == weights[1]
    versions = project.query(
        "select name, version, run_id from model_versions where name in ('jobs', 'command')"
    )
    assert sorted(versions) == [("command", 1, ids["command"]), ("jobs", 1, run_id)]
