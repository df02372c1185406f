"""Rows and predictions in Google's object store: an emulator of it on this computer, where it is installed."""

import pandas as pd
import pytest
import torch
from helpers.ports import free_port
from kedro.io import DatasetError

from layerwise.data import TensorData
from layerwise.datasets import SourceTable, TableDataset, TensorsDataset
from layerwise.utils import run_context

gcsfs = pytest.importorskip("gcsfs", reason="pip install 'layerwise[gcs-test]'")
emulator = pytest.importorskip("gcp_storage_emulator.server", reason="pip install 'layerwise[gcs-test]'")


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """An empty `gs://bucket` of a server on this computer, as gcsfs sees it; it is what the variable names."""
    monkeypatch.setattr(run_context._context, "project", tmp_path)
    port = free_port()
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket")
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    try:
        yield gcsfs.GCSFileSystem()
    finally:
        server.stop()
        gcsfs.GCSFileSystem.clear_instance_cache()


def test_a_table_is_read_and_its_copy_is_renewed(bucket):
    rows = SourceTable(path="gs://bucket/raw", file={"name": "rows.csv"})
    for number in (1, 2):
        bucket.pipe("bucket/raw/rows.csv", f"n\n{number}\n".encode())
        assert rows.load()["n"].tolist() == [str(number)]


def test_many_files_of_a_table_are_read(bucket):
    for k in range(3):
        with bucket.open(f"bucket/many/{k}.parquet", "wb") as file:
            pd.DataFrame({"n": [k, k + 1]}).to_parquet(file)
    assert SourceTable(path="gs://bucket", file={"name": "many"}).load()["n"].tolist() == [0, 1, 1, 2, 2, 3]


def test_what_is_written_is_read_again(bucket):
    rows = TensorsDataset(filepath="gs://bucket/rows.safetensors")
    assert not rows.exists()
    rows.save(TensorData(torch.eye(2)))
    assert rows.exists()
    assert torch.equal(rows.load().inputs, torch.eye(2))
    table = TableDataset(filepath="gs://bucket/out/predictions.csv")
    table.save(pd.DataFrame({"p": [0.25]}))
    assert bucket.cat_file("bucket/out/predictions.csv") == b"p\n0.25\n"
    assert table.load()["p"].tolist() == [0.25]


def test_what_is_not_there_is_named(bucket):
    with pytest.raises(DatasetError, match=r"none.csv is not here(.|\n)*put it at  gs://bucket/raw/none.csv"):
        SourceTable(path="gs://bucket/raw", file={"name": "none.csv"}).load()
    with pytest.raises(DatasetError, match=r"^gs://nowhere/rows.safetensors is not there: "):
        TensorsDataset(filepath="gs://nowhere/rows.safetensors").save(TensorData(torch.ones(1, 1)))
