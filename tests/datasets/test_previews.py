"""What Kedro-Viz shows of an entry: it knows the kind by the name of the type that `preview` returns."""

import base64
import hashlib
import inspect
import json
from io import BytesIO

import numpy as np
import pytest
import torch
from kedro.io import DatasetError
from PIL import Image
from scipy.sparse import csr_matrix

from layerwise.data import SparseTensorData, TensorData
from layerwise.datasets import AnimationDataset, NetworkDataset, SourceTable, TensorsDataset
from layerwise.models import MLP, MLPConfig


def kind(dataset):
    return str(inspect.signature(dataset.preview).return_annotation)


def tensors(tmp_path, data):
    dataset = TensorsDataset(filepath=str(tmp_path / "rows.safetensors"))
    dataset.save(data)
    return dataset


def test_rows_show_their_first_columns_and_targets(tmp_path):
    inputs = torch.arange(120.0).reshape(8, 15) / 3
    dataset = tensors(tmp_path, TensorData(inputs, torch.arange(8)))
    shown = dataset.preview()
    assert kind(dataset) == "TablePreview"
    assert shown["columns"] == [*(f"input {k} of 15" for k in range(1, 11)), "target 1"]
    assert shown["data"][1] == [*(round(k / 3, 4) for k in range(15, 25)), 1.0]
    assert shown["index"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("data", "columns", "first"),
    [
        (TensorData(torch.zeros(1, 0)), [], []),
        (TensorData(torch.ones(2, 1)), ["input 1 of 1"], [1.0]),
        (SparseTensorData(csr_matrix(np.eye(3, dtype=np.float32))), ["rows"], [3]),
    ],
)
def test_few_columns_and_sparse_rows_have_a_preview_too(tmp_path, data, columns, first):
    shown = tensors(tmp_path, data).preview()
    assert shown["columns"] == columns
    assert list(shown["data"][0]) == first


def test_an_animation_shows_itself(tmp_path):
    dataset = AnimationDataset(filepath=str(tmp_path / "animation"))
    dataset.save([(k, np.full((4, 6, 3), 80 * k, np.uint8)) for k in range(3)])
    assert kind(dataset) == "ImagePreview"
    with Image.open(BytesIO(base64.b64decode(dataset.preview()))) as image:
        assert (image.n_frames, image.size) == (3, (6, 4))


def test_a_network_shows_its_shape(tmp_path):
    dataset = NetworkDataset(filepath=str(tmp_path / "network"))
    dataset.save(MLP(MLPConfig(n_inputs=3, n_outputs=2, hidden_sizes=(4,))))
    assert kind(dataset) == "JSONPreview"
    assert json.loads(dataset.preview())["hidden_sizes"] == [4]


def test_a_raw_table_shows_its_first_rows_and_is_not_downloaded_for_it(tmp_path):
    text = "x;kind\n" + "".join(f"{k}.5;a\n" for k in range(9))
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    file = {"name": "t.csv", "urls": ["http://127.0.0.1:9/t.csv"], "sha256": sha256}
    dataset = SourceTable(path=str(tmp_path), file=file)
    with pytest.raises(DatasetError, match=r"t\.csv") as error:
        dataset.preview()
    assert "127.0.0.1" not in str(error.value)
    (tmp_path / "t.csv").write_text(text)
    assert kind(dataset) == "TablePreview"
    assert dataset.preview()["columns"] == ["x", "kind"]
    assert dataset.preview()["data"] == [[f"{k}.5", "a"] for k in range(5)]
