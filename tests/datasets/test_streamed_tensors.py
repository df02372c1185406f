"""Rows in files are written as rows in memory are, and what is loaded is mapped from the file."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from kedro.io import DatasetError
from safetensors import safe_open

from layerwise.data import TensorData
from layerwise.data.out_of_core import StreamedRows
from layerwise.datasets import TensorsDataset


class Rows(StreamedRows):
    """Rows that are there already, in blocks of some."""

    def __init__(self, rows, sizes, n_rows=None):
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "n_rows", len(rows) if n_rows is None else n_rows)
        object.__setattr__(self, "part", 0)
        object.__setattr__(self, "table", type("Table", (), {"path": Path("table.parquet")}))

    def __len__(self):
        return self.n_rows

    def blocks(self):
        for start, end in zip(np.cumsum([0, *self.sizes]), np.cumsum(self.sizes), strict=False):
            yield self.rows[slice(int(start), int(end))]


def rows(targets, weights=False):
    torch.manual_seed(0)
    return TensorData(torch.randn(10, 3), targets, torch.rand(10) if weights else None)


@pytest.mark.parametrize(
    "given",
    [
        rows(None),
        rows(torch.arange(10)),
        rows(torch.randn(10, 2), weights=True),
        rows(torch.arange(10), weights=True),
    ],
    ids=["inputs", "classes", "numbers and weights", "classes and weights"],
)
def test_blocks_are_written_as_the_rows_of_memory_are(given, tmp_path):
    entry = TensorsDataset(filepath=str(tmp_path / "rows.safetensors"))
    entry.save(Rows(given, (4, 1, 5)))
    found, expected = entry.load(), given.with_mean_weight_1()
    with safe_open(tmp_path / "rows.safetensors", "pt") as file:
        assert set(file.keys()) == {
            k for k in ("inputs", "targets", "weights") if getattr(given, k) is not None
        }
    for name in ("inputs", "targets", "weights"):
        one, other = getattr(found, name), getattr(expected, name)
        assert (one is None and other is None) or torch.equal(one, other), name


def test_other_rows_than_were_counted_are_refused(tmp_path):
    for n in (9, 11):
        with pytest.raises(DatasetError, match=r"table\.parquet has changed"):
            TensorsDataset(filepath=str(tmp_path / "rows.safetensors")).save(Rows(rows(None), (4, 6), n))
    assert list(tmp_path.iterdir()) == []


def anonymous_memory():
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what memory is anonymous")
def test_what_is_loaded_takes_no_memory_of_its_own(tmp_path):
    size = 40_000_000
    entry = TensorsDataset(filepath=str(tmp_path / "rows.safetensors"))
    entry.save(TensorData(torch.zeros(size // 80, 20)))
    before = anonymous_memory()
    found = entry.load()
    assert float(found.inputs.sum()) == 0
    assert found[torch.arange(0, len(found), 1000)].inputs.shape == (size // 80_000, 20)
    assert found.to("cpu").inputs.data_ptr() == found.inputs.data_ptr()
    assert anonymous_memory() - before < size / 4
