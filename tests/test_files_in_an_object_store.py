"""Rows, predictions and figures in an object store: a server of S3 on this computer."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
import torch
import yaml
from helpers.object_store import object_store
from kedro.io import DatasetError
from mlflow import MlflowClient

from layerwise.data import TensorData
from layerwise.datasets import SourceTable, TensorsDataset
from layerwise.utils import run_context

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "data/01_raw/forest_fires/forestfires_uci.csv"
OUT = "s3://bucket/out/{pipeline}"
CATALOG = {
    "raw": {
        "type": "layerwise.datasets.SourceTable",
        "path": "s3://bucket/raw",
        "file": {"name": "fires.csv"},
    },
    "{pipeline}.predictions": {
        "type": "layerwise.datasets.TableDataset",
        "filepath": f"{OUT}/predictions.csv",
    },
    "{pipeline}.figure_{figure}": {
        "type": "kedro_datasets.matplotlib.MatplotlibDataset",
        "filepath": OUT + "/{figure}.png",
        "metadata": {"mlflow": {"artifact_path": "figures"}},
    },
}


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    monkeypatch.setattr(run_context._context, "project", tmp_path)
    with object_store(monkeypatch) as system:
        yield system


@pytest.fixture
def remote(project, bucket):
    """The shared project with a problem `remote`, whose rows and what it publishes lie in the store."""
    bucket.put_file(str(ROWS), "bucket/raw/fires.csv")
    folder = project.path / "conf/remote"
    folder.mkdir()
    (folder / "catalog.yml").write_text(yaml.safe_dump(CATALOG))
    shutil.copy(ROOT / "conf/forest_fires_size/parameters.yml", folder)
    yield project
    shutil.rmtree(folder)


@pytest.mark.slow
def test_a_run_reads_and_publishes_in_an_object_store_and_is_finished(remote, bucket):
    project = remote
    settings = {"problem": {"name": "remote"}, "evaluation": {"baselines": False}}
    project.run("mlp", env="remote", **settings)
    run_id, status = project.last_run()
    assert status == "FINISHED"
    published = {Path(path).name for path in bucket.find("bucket/out/mlp")}
    assert {"predictions.csv", "learning_curves.png"} <= published
    # What the run has is what was published.
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    figures = {Path(each.path).name for each in client.list_artifacts(run_id, "figures")}
    assert figures == published - {"predictions.csv"}
    copy = Path(client.download_artifacts(run_id, "figures/learning_curves.png"))
    assert copy.read_bytes() == bucket.cat_file("bucket/out/mlp/learning_curves.png")
    assert client.get_run(run_id).data.tags["data.source"] == "s3://bucket/raw/fires.csv"
    assert not (project.path / "s3:").exists()
    project.run("mlp", env="forest_fires_size", **{**settings, "problem": {"name": "here"}})
    here = pd.read_csv(project.path / "data/07_model_output/here/mlp/test_predictions.csv")
    with bucket.open("bucket/out/mlp/predictions.csv") as file:
        pd.testing.assert_frame_equal(pd.read_csv(file), here)
    found = []
    for given in ("s3://bucket/raw/fires.csv", "raw", str(ROWS)):
        asked = {"model": "remote@champion", "input": given, "output": "s3://bucket/out/answers.parquet"}
        project.run("predict", env="remote", predict=asked, **settings)
        with bucket.open("bucket/out/answers.parquet") as file:
            found.append(pd.read_parquet(file))
    assert len(found[0]) == len(pd.read_csv(ROWS))
    for others in found[1:]:
        pd.testing.assert_frame_equal(found[0], others)


def test_what_the_store_has_not_or_may_not_have_ends_a_run_as_failed_and_is_no_lost_server(
    remote, bucket, caplog
):
    bucket.rm("bucket/raw/fires.csv")
    run = {"env": "remote", "problem": {"name": "refused_elsewhere"}}
    with pytest.raises(
        DatasetError, match=r"fires.csv is not here(.|\n)*put it at  s3://bucket/raw/fires.csv"
    ):
        remote.run("mlp", **run)
    missing = remote.last_run()
    network = {"type": "layerwise.datasets.NetworkDataset", "filepath": "s3://bucket/network"}
    entries = {**CATALOG, "{pipeline}.network": network}
    (remote.path / "conf/remote/catalog.yml").write_text(yaml.safe_dump(entries))
    with pytest.raises(DatasetError, match="s3://bucket/network: networks stay on this computer"):
        remote.run("mlp", **run)
    refused = remote.last_run()
    assert refused[0] != missing[0]
    assert (missing[1], refused[1]) == ("FAILED", "FAILED")
    assert "tracking server" not in caplog.text
    assert not list((remote.path / "data").glob("0[2-8]*/refused_elsewhere"))


def test_a_store_that_refuses_the_key_says_so_in_a_sentence_without_the_secret(bucket):
    bucket.pipe("bucket/rows.csv", b"a\n1\n")
    assert requests.post(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", data=b"0", timeout=10).ok
    mine = {"key": "other", "secret": "not-to-be-shown"}
    table = SourceTable(path="s3://bucket", file={"name": "rows.csv"}, credentials=mine)
    with pytest.raises(
        DatasetError,
        match=r"^s3://bucket/rows.csv cannot be read: .+; correct the credentials, or ask for the right$",
    ):
        table.load()
    rows = TensorsDataset(filepath="s3://bucket/rows.safetensors")
    with pytest.raises(
        DatasetError, match=r"^s3://bucket/rows.safetensors cannot be written: .+; correct the cred"
    ):
        rows.save(TensorData(torch.ones(1, 1)))


def test_a_bucket_that_is_not_there_is_named(bucket):
    rows = TensorsDataset(filepath="s3://nowhere/rows.safetensors")
    assert not rows.exists()
    with pytest.raises(DatasetError, match=r"^s3://nowhere/rows.safetensors is not there: .*bucket"):
        rows.save(TensorData(torch.ones(1, 1)))


def test_many_files_of_a_table_are_read_from_a_bucket(bucket):
    for k in range(3):
        with bucket.open(f"bucket/many/{k}.parquet", "wb") as file:
            pd.DataFrame({"n": np.arange(k, k + 2)}).to_parquet(file)
    found = SourceTable(path="s3://bucket", file={"name": "many"}).load()
    assert found["n"].tolist() == [0, 1, 1, 2, 2, 3]
