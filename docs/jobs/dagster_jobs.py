"""A job of Dagster that runs the jobs of `jobs.json` in the project's own environment.

`dagster dev -f dagster_jobs.py` shows it. It stands beside the `jobs.json` that plan.py writes. LAYERWISE_PROJECT is
the project's folder, whose `.venv` has kedro; Dagster's own environment needs nothing of the project.
"""

import json
import os
import subprocess
from pathlib import Path

import dagster as dg

PROJECT = os.environ["LAYERWISE_PROJECT"]
KEDRO = os.environ.get("LAYERWISE_KEDRO", f"{PROJECT}/.venv/bin/kedro")
PLAN = json.loads(Path(__file__).with_name("jobs.json").read_text())
# The tag of Dagster's run that has the id of the project's.
TAG = "layerwise/run"


def kedro(command, *options, run_id=""):
    """Run a command of the project; return what it prints on the standard output."""
    environment = os.environ | {"LAYERWISE_RUN_ID": run_id}
    given = [KEDRO, command, *PLAN["arguments"], *options]
    done = subprocess.run(given, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


@dg.op
def run_begin(context: dg.OpExecutionContext) -> str:
    """Open the run; every other op is given its id by those before it."""
    run_id = kedro("run-begin")
    context.instance.add_run_tags(context.run_id, {TAG: run_id})
    return run_id


@dg.op
def run_end(before: list[str]) -> None:
    """End the run, after all jobs."""
    kedro("run-end", run_id=before[0])


@dg.failure_hook
def end_as_failed(context: dg.HookContext) -> None:
    """End the run as failed, since no op comes after one that failed."""
    run_id = context.instance.get_run_by_id(context.run_id).tags.get(TAG)
    if run_id:
        kedro("run-end", "--failed", run_id=run_id)


def op_of(job):
    """Return the op of a job."""

    @dg.op(name=job["name"].replace(".", "_"), retry_policy=dg.RetryPolicy(max_retries=1))
    def run_job(before: list[str]) -> str:
        kedro("run", job["option"], run_id=before[0])
        return before[0]

    return run_job


@dg.job(hooks={end_as_failed})
def layerwise():
    """Run the jobs, each after those before it."""
    first, done = run_begin(), {}
    for job in PLAN["jobs"]:
        done[job["name"]] = op_of(job)([done[name] for name in job["after"]] or [first])
    run_end(list(done.values()))


definitions = dg.Definitions(jobs=[layerwise])
