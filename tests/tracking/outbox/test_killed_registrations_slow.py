"""A run of any pipeline that is killed right after it registered a model goes on, and registers none twice."""

import os
import signal
from collections import Counter

import pytest
from helpers.killed_runs import OFTEN, end_of, start
from mlflow import MlflowClient

from layerwise.pipeline_registry import RUNNABLE

pytestmark = pytest.mark.slow
# On a small table; the others learn from the digits, or from points that they make.
ON_A_TABLE = ("dbn", "sae", "mlp", "rbm", "autoencoder", "gan", "linear", "forest", "boosting", "compare")
WITHOUT_TRAINING = ("predict", "evaluate")
# They register nothing.
UNREGISTERED = ("gradients", "gan_ring", "gan_applications", "compare")


def die_after_registering():
    """Let this process be killed as soon as the registry has a version from it."""
    create = MlflowClient.create_model_version

    def dying(*args, **kwargs):
        create(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    MlflowClient.create_model_version = dying


@pytest.mark.parametrize("pipeline", [name for name in RUNNABLE if name not in WITHOUT_TRAINING])
def test_a_run_that_is_killed_after_each_registration_registers_each_model_once(project, pipeline):
    env = "forest_fires" if pipeline in ON_A_TABLE else None
    env = pipeline if pipeline == "forest_fires_classic" else env
    small = (
        {"dbm": {"hidden_sizes": [30, 20], "epochs": 3, "mean_field_steps": 2}} if pipeline == "dbm" else {}
    )
    name = f"killed_registration_{pipeline}"

    def work(resume):
        die_after_registering()
        project.run(pipeline, env=env, problem={"name": name}, checkpoints=OFTEN, resume=resume, **small)

    kills, end = 0, end_of(start(lambda: work(False)))
    while end == -signal.SIGKILL:
        kills += 1
        assert kills < 9
        end = end_of(start(lambda: work(True)))
    assert end == 0
    runs = project.query(  # a comparison's folds are runs below it
        "select run_uuid, status from runs join experiments e using (experiment_id) where e.name=? "
        "and run_uuid not in (select run_uuid from tags where key = 'mlflow.parentRunId')",
        name,
    )
    ((run_id, status),) = runs
    assert status == "FINISHED"
    versions = [v for (v,) in project.query("select name from model_versions where run_id=?", run_id)]
    assert [each for each, n in Counter(versions).items() if n > 1] == []
    assert len(versions) == kills
    assert bool(versions) == (pipeline not in UNREGISTERED)
    ready = project.query("select status from logged_models where source_run_id=?", run_id)
    if versions:  # else what it logs is kept with the run alone
        assert len(ready) == len(versions)
