"""A DAG of Airflow 3 that runs the jobs of `jobs.json` in the project's own environment.

Put this file and the `jobs.json` that plan.py writes into Airflow's folder of DAGs. LAYERWISE_PROJECT is the project's
folder, whose `.venv` has kedro; Airflow's own environment needs nothing of the project.
"""

import json
import os
import shlex
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = os.environ["LAYERWISE_PROJECT"]
KEDRO = os.environ.get("LAYERWISE_KEDRO", f"{PROJECT}/.venv/bin/kedro")
PLAN = json.loads(Path(__file__).with_name("jobs.json").read_text())
RUN = shlex.join(PLAN["arguments"])
# What the first task printed last.
IN_RUN = {"LAYERWISE_RUN_ID": "{{ ti.xcom_pull(task_ids='run_begin') }}"}


def task(name, command, **given):
    """Return a task that runs a command in the project's folder."""
    return BashOperator(
        task_id=name, bash_command=f"{KEDRO} {command}", cwd=PROJECT, append_env=True, **given
    )


with DAG("layerwise", schedule=None, catchup=False):
    begin = task("run_begin", f"run-begin {RUN}")
    # It runs after failed jobs too, and then ends the run as failed.
    end = task("run_end", f"run-end {RUN}", env=IN_RUN, trigger_rule="all_done")
    tasks = {}
    for job in PLAN["jobs"]:
        tasks[job["name"]] = task(job["name"], f"run {RUN} {job['option']}", env=IN_RUN, retries=1)
        ([tasks[before] for before in job["after"]] or [begin]) >> tasks[job["name"]]
        tasks[job["name"]] >> end
