"""The templates of Airflow, Dagster and SLURM at work: each makes one finished run, and a failed one where a job fails.

Airflow and Dagster come from PyPI into environments of their own, which takes minutes; LAYERWISE_AIRFLOW and
LAYERWISE_DAGSTER name the Python of one that is there already.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml
from helpers.slurm import Slurm
from jobs.plan import plan_of

pytestmark = pytest.mark.slow
TEMPLATES = Path(__file__).parents[1] / "docs/jobs"
KEDRO = Path(sys.executable).with_name("kedro")
SMALL = "mlp.hidden_sizes=[8],finetuning.epochs=2,evaluation.bootstrap=20"


def environment_of(package, name, folder):
    """Return the folder of programs of an environment with a package from PyPI."""
    if given := os.environ.get(f"LAYERWISE_{name.upper()}"):
        return Path(given).parent
    venv.create(folder, with_pip=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "-q", package]
    # The project's own constraints are not theirs.
    environment = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    done = subprocess.run(pip, env=environment, capture_output=True, text=True)
    if done.returncode and "No matching distribution" in done.stderr + done.stdout:
        pytest.skip(f"no package registry is reached: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    return environment_of("apache-airflow>=3.1,<4", "airflow", tmp_path_factory.mktemp("airflow") / "env")


@pytest.fixture(scope="module")
def dagster(tmp_path_factory):
    return environment_of("dagster>=1.11,<2", "dagster", tmp_path_factory.mktemp("dagster") / "env")


@pytest.fixture
def slurm(tmp_path):
    with Slurm(tmp_path) as server:
        yield server


def write_plan(project, folder, name, failing=False):
    """Write the plan of a small run into a folder, where asked with a job that fails."""
    given = ["--pipelines=mlp", "--env=forest_fires", f"--params=problem.name={name},{SMALL}"]
    found = plan_of(project.path, given, "stage")
    assert len(found["jobs"]) == 4
    if failing:
        found["jobs"][1]["option"] = "--nodes=none.such"
    (folder / "jobs.json").write_text(json.dumps(found))


def run(project, *command, fails=False, **environment):
    """Run a program in the project's folder, which ends well or fails as it shall; return what it said."""
    given = os.environ | {"LAYERWISE_PROJECT": str(project.path), "LAYERWISE_KEDRO": str(KEDRO)}
    done = subprocess.run(
        [str(each) for each in command],
        cwd=project.path,
        env={**given, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
    )
    assert bool(done.returncode) == fails, done.stdout[-5000:]
    return done.stdout


def statuses(project, *names):
    """Return the problem's name and the status of each run of these problems."""
    marks = ",".join("?" * len(names))
    return sorted(
        project.query(
            "select e.name, status from runs r join experiments e using (experiment_id) "
            f"where e.name in ({marks})",
            *names,
        )
    )


def epochs_of(project, name):
    """Return the epochs of which a problem's only run has the training loss."""
    return sorted(
        step
        for (step,) in project.query(
            "select m.step from metrics m join runs r using (run_uuid) join experiments e using (experiment_id) "
            "where e.name=? and m.key='train/loss'",
            name,
        )
    )


def test_airflow_runs_the_jobs_as_one_run(project, airflow, tmp_path):
    home = {"AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    # A task that failed is tried again, after five minutes unless this says otherwise.
    home |= {"AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path), "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1"}
    shutil.copy(TEMPLATES / "airflow_dag.py", tmp_path)
    run(project, airflow / "airflow", "db", "migrate", **home)
    for name, failing in (("airflow", False), ("airflow_failing", True)):
        write_plan(project, tmp_path, name, failing)
        run(project, airflow / "airflow", "dags", "test", "layerwise", fails=failing, **home)
    found = statuses(project, "airflow", "airflow_failing")
    assert found == [("airflow", "FINISHED"), ("airflow_failing", "FAILED")]


def test_dagster_runs_the_jobs_as_one_run(project, dagster, tmp_path):
    home = {"DAGSTER_HOME": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "1"}
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    shutil.copy(TEMPLATES / "dagster_jobs.py", tmp_path)
    for name, failing in (("dagster", False), ("dagster_failing", True)):
        write_plan(project, tmp_path, name, failing)
        job = ["job", "execute", "-f", tmp_path / "dagster_jobs.py", "-j", "layerwise"]
        run(project, dagster / "dagster", *job, fails=failing, **home)
    found = statuses(project, "dagster", "dagster_failing")
    assert found == [("dagster", "FINISHED"), ("dagster_failing", "FAILED")]


def test_slurm_runs_the_jobs_as_one_run(project, slurm, tmp_path):
    for name, failing in (("slurm", False), ("slurm_failing", True)):
        write_plan(project, tmp_path, name, failing)
        submit = [sys.executable, TEMPLATES / "slurm_jobs.py", tmp_path / "jobs.json", "--mem=4G"]
        run(project, *submit, f"--output={tmp_path}/%x", **slurm.environment)
        slurm.wait_for_jobs()
    found = statuses(project, "slurm", "slurm_failing")
    assert found == [("slurm", "FINISHED"), ("slurm_failing", "FAILED")]


def test_an_array_of_slurm_is_a_run_a_task_and_one_that_is_put_back_goes_on(project, slurm, tmp_path):
    (project.path / ".venv/bin").mkdir(parents=True, exist_ok=True)
    (project.path / ".venv/bin/kedro").symlink_to(KEDRO)
    conf = project.path / "conf/array"
    shutil.copytree(project.path / "conf/forest_fires", conf)
    settings = yaml.safe_load((conf / "parameters.yml").read_text())
    settings["finetuning"] |= {"epochs": 60, "patience": None}
    settings |= {"checkpoints": {"epochs": 1}, "evaluation": {"bootstrap": 20}}
    (conf / "parameters.yml").write_text(yaml.safe_dump(settings))
    submit = ["sbatch", "--parsable", "--array=0-1", f"--output={tmp_path}/%a", TEMPLATES / "slurm_array.sh"]
    job = run(project, *submit, PROBLEM="array", **slurm.environment).split()[-1]
    checkpoints = project.path / "data/checkpoints/array_seed_0/mlp"
    slurm.wait_until(lambda: list(checkpoints.glob("*/*/*/*.json")), 300)
    assert not slurm.ask("scontrol", "requeue", f"{job}_0")
    slurm.wait_until(lambda: slurm.ask("squeue", "-h", "--states=PENDING", "-o", "%i", f"--jobs={job}_0"), 60)
    slurm.ask("scontrol", "update", f"JobId={job}_0", "StartTime=now")
    slurm.wait_for_jobs(600)
    found = statuses(project, "array_seed_0", "array_seed_1")
    assert found == [("array_seed_0", "FINISHED"), ("array_seed_1", "FINISHED")]
    assert "fine-tuning goes on after: epoch" in (tmp_path / "0").read_text()
    assert epochs_of(project, "array_seed_0") == list(range(1, 61))
