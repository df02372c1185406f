"""Rows in files are written as rows in memory are, and what is loaded is mapped from the file."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from kedro.io import DatasetError
from safetensors import safe_open

from layerwise.data import TensorData
from layerwise.data.out_of_core import StreamedTable
from layerwise.datasets import TensorsDataset


class Whole(StreamedTable):
    """Rows that are there already, in blocks of some; all are of the first part but those of others that are given."""

    def __init__(self, rows, sizes, n_rows=None, others=None):
        super().__init__(SimpleNamespace(path=Path("table.parquet")), None, None)
        given = {0: rows} | (others or {})
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "counts", {part: len(each) for part, each in given.items()})
        object.__setattr__(self, "passes", [])
        if n_rows is not None:
            self.counts[0] = n_rows

    def n_rows(self, part):
        return self.counts.get(part, 0)

    def blocks(self, *wanted):
        self.passes.append(wanted)
        for start, end in zip(np.cumsum([0, *self.sizes]), np.cumsum(self.sizes), strict=False):
            yield {
                part: rows[slice(int(start), int(end))]
                for part, rows in self.given.items()
                if part in wanted and start < len(rows)
            }


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
    entry.save(Whole(given, (4, 1, 5)).part(0))
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
            TensorsDataset(filepath=str(tmp_path / "rows.safetensors")).save(
                Whole(rows(None), (4, 6), n).part(0)
            )
    assert list(tmp_path.iterdir()) == []


def entries(folder):
    names = ("training", "validation", "test")
    return [TensorsDataset(filepath=str(folder / f"{name}.safetensors")) for name in names]


def test_all_parts_of_a_table_are_written_in_one_pass(tmp_path):
    given = {part: rows(torch.arange(10), weights=True)[:n] for part, n in enumerate((10, 7, 4))}
    whole = Whole(given[0], (4, 1, 5), others={1: given[1], 2: given[2]})
    for part, entry in enumerate(entries(tmp_path)):
        entry.save(whole.part(part))
        assert torch.equal(entry.load().weights, given[part].with_mean_weight_1().weights)
        assert torch.equal(entry.load().inputs, given[part].inputs)
    assert whole.passes == [(0, 1, 2)]
    assert len(list(tmp_path.iterdir())) == 3
    entries(tmp_path)[1].save(whole.part(1))
    assert len(whole.passes) == 2  # what has its name already is written anew
    assert torch.equal(entries(tmp_path)[1].load().inputs, given[1].inputs)


def test_what_a_pass_wrote_of_other_parts_is_removed_where_it_fails(tmp_path):
    whole = Whole(rows(None), (4, 6), others={1: rows(None)[:7]})
    whole.counts[1] = 8
    with pytest.raises(DatasetError, match=r"table\.parquet has changed"):
        entries(tmp_path)[0].save(whole.part(0))
    assert list(tmp_path.iterdir()) == []


def test_weights_of_a_part_that_are_all_0_are_refused(tmp_path):
    given = TensorData(torch.randn(10, 3), torch.arange(10), torch.zeros(10))
    with pytest.raises(DatasetError, match=r"problem\.weights: all 10 rows of a part .* have the weight 0"):
        entries(tmp_path)[0].save(Whole(given, (4, 6)).part(0))


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
