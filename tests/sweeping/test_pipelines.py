"""Every pipeline that a sweep knows, with the space that the base configuration has for it."""

import math

import pytest
from conftest import SMALL, merge

from layerwise.cli.sweep import make_job
from layerwise.pipeline_registry import SEARCHED, find_objective
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


def test_trials_of_a_gan_of_images_have_one_feature_classifier_and_differ_in_what_it_sees(
    project, monkeypatch
):
    from kedro.framework.startup import bootstrap_project

    from layerwise.pipelines.gan import nodes

    bootstrap_project(project.path)
    trained, fit_classifier = [], nodes.fit_classifier
    monkeypatch.setattr(nodes, "fit_classifier", lambda *args: trained.append(1) or fit_classifier(*args))
    small = {"problem": {"name": "swept_images"}, "split": {"test_rows": 4500, "validation_rows": 200}}
    params = merge(merge(SMALL, small), {"gan": {"epochs": 2}})
    job, _ = make_job(project.path, "gan", "digits", params, None, None, "gan")
    sweep = Sweep(job.model_copy(update={"trials": 2}), resume=False)
    Worker(sweep.job, 0, lambda: False).work()
    values = [trial.value for trial in sweep.study.trials]
    assert len(trained) == 1
    assert all(value > 0 for value in values)
    assert values[0] != values[1]


def test_a_space_of_a_gan_cannot_hold_what_its_rows_are_compared_by():
    objective = find_objective("gan")
    assert objective.is_fixed("gan.feature_classifier_epochs")
    assert objective.is_fixed("gan.table.components")
    assert not objective.is_fixed("gan.epochs")
