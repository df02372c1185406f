"""What a run wrote loads back from the catalog as what it was."""

import re
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
import yaml
from kedro.framework.project import pipelines
from pydantic import BaseModel

from layerwise.data import DataSpec, Split
from layerwise.data.preprocessing.preprocessor import ImagePreprocessor
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.reports import EvaluationReport
from layerwise.models import MLP
from layerwise.models.rbm import DBN
from layerwise.pipeline_registry import RUNNABLE
from layerwise.training import PretrainingHistory
from layerwise.training.supervised import FinetuningHistory

ROOT = Path(__file__).parents[2]
ENTRIES = {
    f"{path.parent.name}: {name}": entry
    for path in sorted((ROOT / "conf").glob("*/catalog*.yml"))
    for name, entry in yaml.safe_load(re.sub(r"\$\{[^}]*\}", "x", path.read_text())).items()
}
UNTYPED = ("JSONDataset", "YAMLDataset", "PickleDataset", "MemoryDataset")


@pytest.mark.parametrize("name", ENTRIES)
def test_no_entry_of_the_catalog_is_an_untyped_dictionary(name):
    entry = ENTRIES[name]
    assert not entry["type"].endswith(UNTYPED)
    if "model" in entry and entry["type"].endswith("TypedDataset"):
        module, _, kind = entry["model"].rpartition(".")
        found = getattr(import_module(module), kind)
        assert issubclass(found, BaseModel)
        assert found.model_config["frozen"]


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("preprocessor", ImagePreprocessor),
        ("data_spec", DataSpec),
        ("split", Split),
        ("stack", DBN),
        ("initial_network", MLP),
        ("network", MLP),
        ("metrics", EvaluationReport),
        ("metrics_test", LoggedMetrics),
        ("metrics_stack", LoggedMetrics),
        ("predictions", pd.DataFrame),
        ("pretraining_history", PretrainingHistory),
        ("finetuning_history", FinetuningHistory),
        ("model_card", str),
    ],
)
def test_an_output_is_one_line_away(finished, entry, kind):
    assert isinstance(finished.catalog().load(f"dbn.{entry}"), kind)


def test_the_lines_of_the_readme_run_in_a_notebook(finished):
    (lines,) = re.findall(
        r"```python\n(metrics = catalog.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    found = {"catalog": finished.catalog()}
    exec(lines, found)
    assert found["logged"] == found["metrics"].network["error"].value
    assert found["names"] == tuple("0123456789")
    assert (found["predictions"]["true"] != found["predictions"]["predicted"]).mean() == found["logged"]
    assert found["features"].shape == (1000, 30)


def test_what_is_logged_is_what_the_report_says(finished):
    catalog = finished.catalog()
    report, logged = catalog.load("dbn.metrics"), catalog.load("dbn.metrics_test")
    assert report.logged() == logged
    baselines = {
        f"test/{model}/{name}".replace(" ", "_"): metric.value
        for model, metrics in report.baselines.items()
        for name, metric in metrics.items()
    }
    assert "test/nearest_neighbors/error" in baselines
    assert {row.name: row.value for row in logged} == baselines | {
        f"test/{name}": metric.value for name, metric in report.network.items()
    }
    run_id, _ = finished.query(
        "select run_uuid, r.name from runs r join experiments e using (experiment_id) "
        "join latest_metrics m using (run_uuid) where e.name='digits' and r.name='dbn' and m.key='test/accuracy' "
        "order by start_time desc limit 1"  # others' runs, of a part of the pipeline, have no metrics of the test rows
    )[0]
    tracked = dict(finished.query("select key, value from latest_metrics where run_uuid=?", run_id))
    assert {name: tracked[name] for name in logged.names} == {row.name: row.value for row in logged}


@pytest.mark.parametrize(
    ("env", "params"),
    [
        ("digits", {}),
        ("churn", {"split": {"folds": 2}, "evaluation": {"segments": ["Geography"]}}),
        ("churn", {"refit": True}),
        ("churn", {"seeds": 2}),
        ("kos", {}),
        ("movielens", {}),
    ],
    ids=str,
)
def test_no_data_set_between_two_nodes_is_in_memory_alone(project, env, params):
    # Each node may run in a process of its own.
    with project.session(env, **params) as session:
        catalog = session.load_context().catalog
        names = {
            f"{name}: {each}"
            for name in RUNNABLE
            for each in pipelines[name].all_outputs()
            if each not in catalog
        }
    assert names == set()
