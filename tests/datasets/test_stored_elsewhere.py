"""Every entry that a run writes comes back from a store as from this computer."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.remote_files import empty_memory_store
from helpers.tables import fitted, saved, table
from kedro.io import DataCatalog, DatasetError

from layerwise.data import TensorData
from layerwise.datasets import (
    AnimationDataset,
    ChunkedReaderDataset,
    MetricsDataset,
    NetworkDataset,
    PredictionsDataset,
    PreprocessorDataset,
    TableDataset,
    TensorsDataset,
    TypedDataset,
)
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.inference import StreamedPredictions
from layerwise.models import MLP, MLPConfig
from layerwise.parameters import TaskSettings


@pytest.fixture
def store(tmp_path, monkeypatch):
    return empty_memory_store(tmp_path, monkeypatch)


@pytest.fixture(params=["memory://bucket", "file"])
def place(request, store, tmp_path):
    """The address of a folder, elsewhere or here."""
    return (tmp_path / "folder").as_uri() if request.param == "file" else request.param


METRICS = LoggedMetrics.of({"test/error": 0.1 + 0.2})


@pytest.mark.parametrize(
    ("dataset", "data", "seen"),
    [
        (
            lambda path: TensorsDataset(filepath=path),
            TensorData(torch.arange(6.0).reshape(2, 3), torch.tensor([0, 1])),
            lambda data: (data.inputs.tolist(), data.targets.tolist()),
        ),
        (
            lambda path: TableDataset(filepath=path + ".csv"),
            pd.DataFrame({"text": ["=1+1", "'@", "x"], "n": [1, 2, 3]}),
            lambda data: data.to_dict("list"),
        ),
        (
            lambda path: AnimationDataset(filepath=path),
            [(0, np.zeros((4, 6, 3), np.uint8)), (7, np.full((4, 6, 3), 9, np.uint8))],
            lambda data: [(epoch, frame.tolist()) for epoch, frame in data],
        ),
        (lambda path: MetricsDataset(filepath=path), METRICS, lambda data: data),
        (
            lambda path: TypedDataset(filepath=path, model="layerwise.evaluation.metrics.LoggedMetrics"),
            METRICS,
            lambda data: data,
        ),
    ],
    ids=["tensors", "table", "animation", "metrics", "typed"],
)
def test_what_is_saved_comes_back(place, dataset, data, seen):
    entry = dataset(f"{place}/out/data")
    assert not entry.exists()
    entry.save(data)
    assert entry.exists()
    assert seen(dataset(f"{place}/out/data").load()) == seen(data)
    assert entry.preview()


def test_a_preprocessor_comes_back(place):
    entry, preprocessor = PreprocessorDataset(filepath=f"{place}/preprocessor"), fitted(table())
    assert not entry.exists()
    entry.save(preprocessor)
    assert entry.exists()
    assert entry.load().data_spec == preprocessor.data_spec
    assert entry.preview()


def test_a_network_stays_on_this_computer_and_a_catalog_says_so_before_any_node(store, tmp_path):
    entry = NetworkDataset(filepath=(tmp_path / "network").as_uri())
    entry.save(MLP(MLPConfig(n_inputs=3, n_outputs=2)))
    assert isinstance(entry.load(), MLP)
    catalog = DataCatalog.from_config(
        {"mlp.network": {"type": "layerwise.datasets.NetworkDataset", "filepath": "memory://bucket/network"}}
    )
    with pytest.raises(DatasetError, match=r"memory://bucket/network: networks stay on this computer.*data/"):
        catalog.get("mlp.network")


def test_predictions_of_rows_elsewhere_lie_where_they_were_asked_for(place, store, tmp_path):
    frame = table(20)
    model = saved(tmp_path / "model", frame)
    TableDataset(filepath=f"{place}/rows.csv").save(frame)
    found = {}
    for output in (f"{place}/out.csv", f"{place}/out.parquet", str(tmp_path / "here.csv")):
        rows = ChunkedReaderDataset(file=f"{place}/rows.csv", pipeline="predict").load()
        answers = StreamedPredictions(model, rows, settings=TaskSettings())
        predictions = PredictionsDataset(file=output, input_path=f"{place}/rows.csv")
        assert not predictions.exists()
        predictions.save(answers)
        assert predictions.exists()
        assert answers.run_tags()["predict.input"] in (
            f"{place}/rows.csv",
            f"{place}/rows.csv".removeprefix("file://"),
        )
        found[output] = predictions.load()["probability_yes"].tolist()
    assert len(set(map(tuple, found.values()))) == 1
    with pytest.raises(DatasetError, match=r"rows\.csv holds the rows themselves"):
        PredictionsDataset(file=f"{place}/rows.csv", input_path=f"{place}/rows.csv").save(answers)


def test_an_output_that_no_package_can_write_is_refused_before_any_row_is_predicted():
    with pytest.raises(DatasetError, match=r"^nowhere://b/out.csv cannot be used: Protocol not known"):
        PredictionsDataset(file="nowhere://b/out.csv", input_path="rows.csv")


def test_inputs_of_one_name_in_two_buckets_have_predictions_of_two_names(store):
    names = {
        str(PredictionsDataset(file=None, input_path=f"memory://{bucket}/rows.csv").location)
        for bucket in ("one", "two")
    }
    assert len(names) == 2
    assert all("rows_" in name and name.endswith("_predictions.csv") for name in names)


def test_what_is_missing_elsewhere_is_named_by_its_address(store):
    with pytest.raises(DatasetError, match=r"^memory://bucket/none.safetensors is not there$"):
        TensorsDataset(filepath="memory://bucket/none.safetensors").load()
    with pytest.raises(DatasetError, match=r"^memory://bucket/none.csv is not there$"):
        ChunkedReaderDataset(file="memory://bucket/none.csv", pipeline="predict").load()


def test_credentials_come_from_the_catalog_and_are_never_shown(store):
    catalog = DataCatalog.from_config(
        {
            "rows": {
                "type": "layerwise.datasets.TensorsDataset",
                "filepath": "memory://bucket/rows.safetensors",
                "credentials": "mine",
                "fs_args": {"skip_instance_cache": True},
            }
        },
        {"mine": {"secret": "not-to-be-shown"}},
    )
    entry = catalog.get("rows")
    entry.save(TensorData(torch.ones(1, 1)))
    assert "not-to-be-shown" not in f"{entry} {entry!r} {catalog}"
    assert entry.load().inputs.item() == 1
