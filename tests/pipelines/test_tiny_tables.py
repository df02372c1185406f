"""Tables of a handful of rows: a pipeline runs, or says in one sentence what it lacks."""

import numpy as np
import pandas as pd
import pytest
import yaml

from layerwise.utils import UserError

QUICK = {"finetuning": {"epochs": 1, "batch_size": None}, "gan": {"baselines": False}}
TOO_FEW = "(has one value only|rows are too few|rows: lower it|no synthetic anomalies|too few rows)"


@pytest.fixture(scope="module")
def tiny(project):
    rng = np.random.default_rng(0)
    for rows in (3, 5, 8, 12):
        name = f"tiny_{rows}"
        columns = {
            "length": rng.normal(5, 2, rows).round(2),
            "color": (["red", "green"] * rows)[:rows],
            "weight": rng.normal(70, 9, rows).round(1),
        }
        pd.DataFrame(columns).to_csv(project.path / f"data/01_raw/{name}.csv", index=False)
        folder = project.path / "conf" / name
        folder.mkdir()
        raw = {
            "type": "layerwise.datasets.SourceTable",
            "path": "data/01_raw",
            "file": {"name": f"{name}.csv"},
        }
        (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": raw}))
        problem = {"name": name, "task": "regression", "target": "weight"}
        (folder / "parameters.yml").write_text(yaml.safe_dump({"problem": problem}))
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


def test_a_gan_that_has_nothing_to_compare_with_is_refused_before_it_is_trained(tiny):
    with pytest.raises(UserError, match=r"^1 (test|validation) rows are too few .*split\."):
        tiny.run("gan", env="tiny_8")
    assert not list((tiny.path / "data/06_models/tiny_8/gan").glob("*generator*"))


def test_folds_of_fewer_rows_than_there_are_folds_are_refused(tiny):
    with pytest.raises(UserError, match=r"split\.folds is 5, and there are 3 rows: lower it"):
        tiny.run("mlp", env="tiny_3", split={"folds": 5})
