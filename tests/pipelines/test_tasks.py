"""Each task through the whole pipeline, on tables that are made here."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 400))
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "colour": np.where(rng.random(400) < 0.3, None, np.where(x > 0, "red", "blue")),
            "when": pd.date_range("2024-01-01", periods=400).strftime("%Y-%m-%d"),
            "constant": 7,
            "first": (x + y > 0).astype(int),
            "second": (x - y > 0.5).astype(int),
            "value": 5000 + 800 * x - 300 * y,
            "kind": np.select([x > 0.5, y > 0], ["a", "b"], "c"),
        }
    )


@pytest.fixture(scope="module")
def run(project, table):
    folder = project.path / "conf/mine"
    folder.mkdir()
    (folder / "catalog.yml").write_text(
        "raw:\n  type: layerwise.datasets.SourceTable\n  path: data/01_raw\n  file:\n    name: mine.csv\n"
    )
    (folder / "parameters.yml").write_text("problem: {name: mine, task: binary}\n")
    table.to_csv(project.path / "data/01_raw/mine.csv", index=False)

    def run(pipeline, **params):
        params["finetuning"] = {"epochs": 30, "learning_rate": 0.02, "batch_size": 20} | params.get(
            "finetuning", {}
        )
        project.run(pipeline, env="mine", **params)
        catalog = project.catalog(env="mine", **params)
        return project.json(f"08_reporting/mine/{pipeline}/metrics.json")["network"], catalog

    return run


TARGETS = ["first", "second", "value", "kind"]


@pytest.mark.parametrize(
    ("task", "target", "metric", "bound"),
    [
        ("binary", "first", "roc_auc", 0.95),
        ("multilabel", ["first", "second"], "roc_auc", 0.95),
        ("regression", "value", "r2", 0.9),
        ("multiclass", "kind", "accuracy", 0.8),
    ],
)
def test_every_task_is_learned_from_a_pretrained_stack(run, task, target, metric, bound):
    named = [target] if isinstance(target, str) else target
    problem = {
        "name": "mine",
        "task": task,
        "target": target,
        "drop": [name for name in TARGETS if name not in named],
    }
    metrics, catalog = run("dbn", problem=problem)
    assert metrics[metric]["value"] > bound
    data_spec = catalog.load("dbn.data_spec")
    assert {"colour_missing", "when_month_sin"} <= set(data_spec.feature_names)
    assert "constant" not in data_spec.feature_names
    predictions = catalog.load("dbn.predictions")
    assert len(predictions) == 80
    if task == "regression":
        # In the target's own units, although the network learns a standardised one.
        assert predictions["predicted_value"].mean() == pytest.approx(5000, rel=0.1)
    assert "## Results on the test rows" in catalog.load("dbn.model_card")
