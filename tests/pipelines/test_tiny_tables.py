"""Tables of a handful of rows: a pipeline runs, or says in one sentence what it lacks."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from layerwise.utils import UserError

QUICK = {"finetuning": {"epochs": 1, "batch_size": None}, "gan": {"baselines": False}}
TOO_FEW = "(has one value only|rows? (is|are) too few|rows: lower it|no synthetic anomalies|too few rows)"


def _add_problem(project, name, task, target, columns):
    pd.DataFrame(columns).to_csv(project.path / f"data/01_raw/{name}.csv", index=False)
    folder = project.path / "conf" / name
    folder.mkdir()
    raw = {
        "type": "layerwise.datasets.SourceTable",
        "path": "data/01_raw",
        "file": {"name": f"{name}.csv"},
    }
    (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": raw}))
    problem = {"name": name, "task": task, "target": target}
    (folder / "parameters.yml").write_text(yaml.safe_dump({"problem": problem}))


def _trained(project, name, pipeline):
    """The names of what a pipeline has trained."""
    folder = project.path / f"data/06_models/{name}/{pipeline}"
    return {path.name for path in folder.glob("*")} - {"preprocessor"}


@pytest.fixture(scope="module")
def tiny(project):
    rng = np.random.default_rng(0)
    for rows in (3, 5, 8, 12):
        columns = {
            "length": rng.normal(5, 2, rows).round(2),
            "color": (["red", "green"] * rows)[:rows],
            "weight": rng.normal(70, 9, rows).round(1),
        }
        _add_problem(project, f"tiny_{rows}", "regression", "weight", columns)
        for task, classes in (("binary", ("no", "yes", "no")), ("multiclass", ("a", "b", "c"))):
            labelled = columns | {"kind": (classes * rows)[:rows]}
            _add_problem(project, f"tiny_{task}_{rows}", task, "kind", labelled)
    return project


@pytest.mark.parametrize("rows", [3, 5, 8, 12])
@pytest.mark.parametrize(
    "pipeline", ["mlp", "dbn", "sae", "rbm", "autoencoder", "gan", "boosting", "compare"]
)
def test_a_pipeline_runs_or_says_that_the_rows_are_too_few(tiny, pipeline, rows):
    try:
        tiny.run(pipeline, env=f"tiny_{rows}", **QUICK)
    except UserError as error:
        message = str(error)
        assert rows < 12 or pipeline == "gan", message
        with pytest.raises(UserError, match=TOO_FEW):
            raise
        assert "\n" not in message


@pytest.mark.parametrize("rows", [5, 8, 12])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("pipeline", ["mlp", "dbn", "rbm", "autoencoder"])
def test_few_rows_of_classes_are_trained_on_or_refused_before(tiny, pipeline, task, rows):
    name, refused = f"tiny_{task}_{rows}", ""
    try:
        tiny.run(pipeline, env=name, **QUICK)
    except UserError as error:
        refused = str(error)
    if refused:
        assert "rows are too few" in refused or "too few for training" in refused
        assert not _trained(tiny, name, pipeline)


@pytest.mark.parametrize("pipeline", ["dbn", "rbm", "autoencoder", "gan"])
def test_a_single_test_row_is_refused_before_a_network_is_trained(tiny, pipeline):
    with pytest.raises(UserError, match=r"^1 test row is too few to compare .* raise split\.test_fraction"):
        tiny.run(pipeline, env="tiny_5")
    assert not _trained(tiny, "tiny_5", pipeline)


@pytest.mark.parametrize("pipeline", ["rbm", "autoencoder"])
def test_rows_with_four_of_a_class_are_learnt_without_what_takes_more_of_it(tiny, pipeline):
    rng = np.random.default_rng(1)
    columns = dict(zip("abcd", rng.normal(5, 2, (4, 200)).round(2), strict=True))
    columns["kind"] = ["rare"] * 4 + ["usual"] * 196
    _add_problem(tiny, f"rare_{pipeline}", "binary", "kind", columns)
    folder = tiny.path / f"data/08_reporting/rare_{pipeline}/{pipeline}"
    folder.mkdir(parents=True)
    (folder / "class_anomalies.png").write_text("of an earlier run")
    tiny.run(pipeline, env=f"rare_{pipeline}", rbm={"epochs": 1}, autoencoder={"epochs": 1})
    assert json.loads((folder / "class_anomalies.json").read_text()) == {"classes": {}}
    assert not (folder / "class_anomalies.png").is_file()


def test_a_gan_that_has_nothing_to_compare_with_is_refused_before_it_is_trained(tiny):
    with pytest.raises(UserError, match=r"^1 (test row is|validation rows are) too few .*split\."):
        tiny.run("gan", env="tiny_8")
    assert not list((tiny.path / "data/06_models/tiny_8/gan").glob("*generator*"))


def test_folds_of_fewer_rows_than_there_are_folds_are_refused(tiny):
    with pytest.raises(UserError, match=r"split\.folds is 5, and there are 3 rows: lower it"):
        tiny.run("mlp", env="tiny_3", split={"folds": 5})
