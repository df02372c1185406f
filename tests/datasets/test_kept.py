import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from layerwise.data import Split
from layerwise.datasets import RowsDataset, TypedDataset


@pytest.fixture
def rows(tmp_path):
    dataset = RowsDataset(filepath=str(tmp_path / "rows.parquet"))
    dataset.save(pd.DataFrame({"age": [1.5, 2.5], "city": ["Ulm", None]}))
    return dataset


@pytest.fixture
def reads(monkeypatch):
    """The files that pandas reads."""
    found, read = [], pd.read_parquet
    monkeypatch.setattr(pd, "read_parquet", lambda path, **others: found.append(path) or read(path, **others))
    return found


def test_rows_are_read_once_and_none_that_loads_them_sees_what_another_writes(rows, reads):
    first, second = rows.load(), rows.load()
    assert len(reads) == 1
    first.loc[0, "age"] = 9
    first["new"] = 1
    first.attrs["read"] = True
    assert second["age"].tolist() == rows.load()["age"].tolist() == [1.5, 2.5]
    assert list(rows.load()) == ["age", "city"]
    assert rows.load().attrs == {}


def test_rows_that_another_process_or_entry_replaces_are_read_anew(rows, reads, tmp_path):
    rows.load()
    RowsDataset(filepath=str(tmp_path / "rows.parquet")).save(pd.DataFrame({"age": [3.5]}))
    assert rows.load()["age"].tolist() == [3.5]
    rows.save(pd.DataFrame({"age": [4.5]}))
    assert rows.load()["age"].tolist() == [4.5]
    assert len(reads) == 3


def test_rows_are_forgotten_when_the_runner_releases_them_and_do_not_travel(rows, reads):
    rows.load()
    rows.release()
    rows.load()
    assert len(reads) == 2
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(rows)).load(), rows.load())
    assert len(reads) == 3


def test_threads_that_load_at_once_read_once(rows, reads):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: rows.load(), range(16)))
    assert len(reads) == 1
    for each in found:
        pd.testing.assert_frame_equal(each, found[0])


def test_rows_in_a_store_are_read_as_before():
    dataset = RowsDataset(filepath="memory://kept/rows.parquet")
    dataset.save(pd.DataFrame({"age": [1.5]}))
    assert dataset.load()["age"].tolist() == [1.5]


def test_a_frozen_model_is_read_once_until_its_file_is_another(tmp_path, monkeypatch):
    dataset = TypedDataset(model="layerwise.data.Split", filepath=str(tmp_path / "split.json"))
    split = Split(training=np.arange(3), validation=np.array([3]), test=np.array([4]))
    dataset.save(split)
    first = dataset.load()
    assert dataset.load() is first
    dataset.save(split.model_copy(update={"test": np.array([4, 5])}))
    assert dataset.load().test.tolist() == [4, 5]
    dataset.release()
    assert dataset.load() is not first
