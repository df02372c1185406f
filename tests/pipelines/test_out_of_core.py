"""Pipelines that learn from rows in files: the same network as from rows in memory, where the sample has them all."""

import json

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from layerwise.data import Split
from layerwise.parameters import ParameterError
from layerwise.utils import UserError

OUT_OF_CORE = {"compute": {"out_of_core": True}, "split": {"method": "hash"}}


@pytest.fixture(scope="module")
def in_files(project, tables):
    """An environment whose raw rows are a folder of Parquet files."""
    folder = project.path / "data/01_raw/in_files"
    folder.mkdir()
    frame = tables.table(1200).drop(columns=["cost", "a", "b"])
    for k in range(3):
        frame.iloc[400 * k : 400 * (k + 1)].to_parquet(folder / f"part_{k}.parquet", index=False)
    conf = project.path / "conf/in_files"
    conf.mkdir()
    entry = "raw:\n  type: layerwise.datasets.SourceTable\n  path: data/01_raw\n  file: {name: in_files}\n"
    (conf / "catalog.yml").write_text(entry)
    (conf / "parameters.yml").write_text("problem: {name: in_memory, task: binary, target: left}\n")
    return project


def run(project, pipeline, name, **params):
    """Run a pipeline under a problem's name of its own; return what it has written by its path below the layers."""
    project.run(pipeline, env="in_files", problem={"name": name}, split={"method": "hash"}, **params)
    return lambda path: project.json(path.format(name))


def without_seconds(history):
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history["epochs"]]


def test_a_network_learns_from_files_what_it_learns_from_memory(in_files):
    spec = "04_feature/{}/mlp/data_spec.json"
    found = {
        name: run(in_files, "mlp", name, compute={"out_of_core": name == "in_files"})
        for name in ("in_memory", "in_files")
    }
    one, other = found["in_memory"], found["in_files"]
    assert one(spec) == other(spec)
    history = "07_model_output/{}/mlp/finetuning_history.json"
    assert without_seconds(one(history)) == without_seconds(other(history))
    for path in ("08_reporting/{}/mlp/network_metrics.json", "08_reporting/{}/mlp/importance.json"):
        assert one(path) == other(path)
    metrics = "08_reporting/{}/mlp/metrics.json"
    assert one(metrics)["baselines"] == other(metrics)["baselines"]


def test_what_is_measured_of_a_sample_says_so_and_the_metrics_are_of_all_rows(in_files):
    read = run(in_files, "mlp", "sampled_files", compute={"out_of_core": True, "sample_rows": 1000})
    spec = read("04_feature/{}/mlp/data_spec.json")
    assert spec["n_training"] + spec["n_validation"] + spec["n_test"] == 1200
    split = Split(**read("04_feature/{}/mlp/split.json"))
    assert 900 < len(split.training) + len(split.validation) + len(split.test) < 1100
    assert any("uniform sample of" in note for note in spec["notes"])
    data = in_files.path / "data"
    assert "uniform sample of" in (data / "08_reporting/sampled_files/mlp/model_card.md").read_text()
    assert len(pd.read_csv(data / "07_model_output/sampled_files/mlp/test_predictions.csv")) == len(
        split.test
    )
    catalog = in_files.catalog("in_files", problem={"name": "sampled_files"}, **OUT_OF_CORE)
    scores = catalog.load("mlp.all_test_scores")
    assert len(scores) == spec["n_test"] > len(split.test)
    error = read("08_reporting/{}/mlp/network_metrics.json")["error"]["value"]
    threshold = read("08_reporting/{}/mlp/metrics.json")["threshold"]
    wrong = (scores.inputs.numpy() >= threshold) != (scores.targets.numpy() == 1)
    assert error == pytest.approx(wrong.mean())
    run_id, status = in_files.last_run()
    assert status == "FINISHED"
    profiles = [json.loads(each) for (each,) in in_files.query("select dataset_profile from datasets")]
    assert spec["n_training"] in [each.get("num_rows") for each in profiles]
    # The model answers as any other one.
    frame = pd.read_parquet(data / "01_raw/in_files")
    in_files.run("evaluate", evaluate={"model": run_id, "input": "data/01_raw/in_files", "bootstrap": 20})
    again = in_files.json("08_reporting/sampled_files/evaluate/metrics.json")
    assert 0 <= again["error"]["value"] <= 1
    assert len(frame) == 1200


@pytest.mark.parametrize("pipeline", ["rbm", "autoencoder"])
def test_encoders_learn_from_files(in_files, pipeline):
    read = run(in_files, pipeline, f"files_{pipeline}", compute={"out_of_core": True, "sample_rows": 1000})
    assert read(f"04_feature/{{}}/{pipeline}/data_spec.json")["n_training"] > 800
    run_id = in_files.last_run()[0]
    values = in_files.query("select value from metrics where run_uuid = ? and key like 'train/%'", run_id)
    assert len(values) > 1
    assert all(np.isfinite(value) for (value,) in values)


def test_what_needs_rows_in_memory_is_refused_before_a_node_runs(in_files):
    with pytest.raises(ParameterError, match=r"set split\.method: hash"):
        in_files.run("mlp", env="in_files", compute={"out_of_core": True})
    with pytest.raises(ParameterError, match="refit needs all rows in memory"):
        in_files.run("mlp", env="in_files", refit=True, **OUT_OF_CORE)
    with pytest.raises(UserError, match=r"compute\.out_of_core is for mlp, rbm and autoencoder of a table"):
        in_files.run("dbn", env="in_files", **OUT_OF_CORE)


def test_a_table_that_is_not_in_parquet_or_has_a_validator_is_refused(project, tables):
    with pytest.raises(UserError, match=r"compute\.out_of_core: a validator looks at a table in memory"):
        project.run("mlp", env="forest_fires", problem={"name": "csv_in_files"}, **OUT_OF_CORE)
    tables.table(100).to_csv(project.path / "data/01_raw/text.csv", index=False)
    conf = project.path / "conf/text_in_files"
    conf.mkdir()
    entry = "raw:\n  type: layerwise.datasets.SourceTable\n  path: data/01_raw\n  file: {name: text.csv}\n"
    (conf / "catalog.yml").write_text(entry)
    (conf / "parameters.yml").write_text("problem: {name: text_in_files, task: binary, target: left}\n")
    with pytest.raises(DatasetError, match=r"compute\.out_of_core reads Parquet"):
        project.run("mlp", env="text_in_files", **OUT_OF_CORE)
