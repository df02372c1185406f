"""A folder of Parquet files is one table at every door."""

import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.reading import (
    ChunkedReader,
    ReadingSettings,
    read_text_table,
    resolve_file_format,
)
from layerwise.data.sources import sha256_of
from layerwise.datasets import SourceTable
from layerwise.profiling import propose_problem


@pytest.fixture
def folder(tmp_path):
    """Thirty rows in three files, and one without rows before them; another program's mark beside them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=30), "word": rng.choice(["x", "y"], 30), "kept": [0, 1] * 15})
    path = tmp_path / "table"
    path.mkdir()
    frame.head(0).to_parquet(path / "part-0.parquet")
    for k in range(3):
        frame.iloc[10 * k : 10 * (k + 1)].to_parquet(path / f"part-{k + 1}.parquet", index=False)
    (path / "_SUCCESS").touch()
    return path, frame


def test_its_rows_are_those_of_its_files_in_order(folder):
    path, frame = folder
    found = SourceTable(path=str(path.parent), file={"name": "table"}).load()
    assert found.astype({"word": "str"}).to_dict("list") == frame.to_dict("list")
    assert list(found.attrs["line_numbers"]) == list(range(1, 31))
    assert found.attrs["sha256"] == sha256_of(path)
    whole = read_text_table(path, resolve_file_format(path, ReadingSettings()))
    assert len(whole) == 30


def test_its_chunks_hold_each_row_once_with_its_line(folder):
    path, frame = folder
    reader = ChunkedReader(path, chunk_rows=7)
    assert not reader.has_pictures
    assert not reader.has_image_inputs
    chunks = list(reader.chunks())
    assert max(map(len, chunks)) == 7
    assert [chunk.start for chunk in chunks] == np.cumsum([0, *map(len, chunks[:-1])]).tolist()
    assert pd.concat([chunk.rows for chunk in chunks])["a"].tolist() == frame["a"].tolist()
    assert [float(line.split(",")[0]) for chunk in chunks for line in chunk.lines] == frame["a"].tolist()


def test_another_file_or_another_row_changes_its_hash(folder):
    path, frame = folder
    before = sha256_of(path)
    frame.assign(a=1.0).head(10).to_parquet(path / "part-1.parquet", index=False)
    assert sha256_of(path) != before


def test_a_file_with_other_columns_is_refused_by_its_name(folder):
    path, frame = folder
    frame.rename(columns={"a": "b"}).to_parquet(path / "part-9.parquet", index=False)
    with pytest.raises(DataError, match=r"part-9.parquet has other columns.*a, b"):
        list(ChunkedReader(path).chunks())


def test_a_file_with_its_columns_in_another_order_is_read(folder):
    path, frame = folder
    frame[["kept", "a", "word"]].to_parquet(path / "part-9.parquet", index=False)
    assert list(list(ChunkedReader(path).chunks())[-1].rows) == ["a", "word", "kept"]


def test_it_becomes_a_problem(folder):
    path, _ = folder
    new = propose_problem("shards", path, path.parent)
    assert new.proposal.value("problem.target") == "kept"
    assert new.proposal.entry["type"] == "layerwise.datasets.SourceTable"


def test_a_folder_of_nothing_is_no_table(tmp_path):
    from layerwise.data.reading.files import validate_file_exists

    with pytest.raises(DataError, match="holds no Parquet files"):
        validate_file_exists(tmp_path)
