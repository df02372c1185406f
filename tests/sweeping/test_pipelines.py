"""Every pipeline that a sweep knows, with the space that the base configuration has for it."""

import math

import pytest
from conftest import SMALL, merge

from layerwise.cli.sweep import make_job
from layerwise.pipeline_registry import SEARCHED
from layerwise.sweeping.launcher import Sweep
from layerwise.sweeping.worker import Worker

QUICK = {"pretraining": {"epochs": 1}, "dbm": {"epochs": 1}}
# A deep Boltzmann machine takes pixels.
ENVIRONMENTS = {"dbm": "digits"}


@pytest.mark.parametrize(
    "pipeline",
    [pytest.param(each, marks=[pytest.mark.slow] if each in ENVIRONMENTS else []) for each in SEARCHED],
)
def test_a_trial_of_each_pipeline_ends_with_its_objective(project, pipeline):
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project.path)
    params = merge(merge(SMALL, QUICK), {"problem": {"name": f"swept_{pipeline}"}})
    job, _ = make_job(
        project.path, pipeline, ENVIRONMENTS.get(pipeline, "forest_fires"), params, None, None, pipeline
    )
    sweep = Sweep(job, resume=False)
    Worker(sweep.job, 0, lambda: False).work()
    (trial,) = sweep.study.trials
    assert trial.state.name == "COMPLETE", trial.user_attrs
    assert set(trial.params) == set(job.space)
    assert math.isfinite(trial.value)
    reported = trial.intermediate_values
    assert reported
    assert trial.value in reported.values()
