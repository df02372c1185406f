"""Rows to predict that another catalog entry gives."""

import sqlite3

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DatasetError

from layerwise.data import DataError
from layerwise.data.reading import LoadedRows
from layerwise.data.sources import Images
from layerwise.datasets import EntryRowsDataset, SourceTable

TABLE = pd.DataFrame({"a": [1.5, 2.0, np.nan], "b": ["x", 'y, "z"', None]})


def test_a_table_comes_in_chunks_with_its_cells_as_lines():
    rows = LoadedRows(TABLE, "new", chunk_rows=2)
    first, second = rows.chunks()
    assert rows.header() == ["a", "b"]
    assert (first.start, second.start) == (0, 2)
    pd.testing.assert_frame_equal(first.rows, TABLE[:2])
    assert first.lines == ["1.5,x", '2.0,"y, ""z"""']
    assert second.lines == [","]


def test_images_come_with_their_labels():
    images = Images(np.arange(12).reshape(3, 2, 2), np.array([4, 5, 6]))
    rows = LoadedRows(images, "new", chunk_rows=2)
    parts = list(rows.chunks())
    assert rows.has_image_inputs
    assert not rows.has_pictures
    assert [part.labels.tolist() for part in parts] == [[4, 5], [6]]
    assert (np.concatenate([part.rows for part in parts]) == images.pixels).all()
    with pytest.raises(DataError, match="new gives list"):
        LoadedRows([1], "new")


def test_an_entry_that_is_a_file_is_read_in_chunks_and_never_as_a_whole(tmp_path, monkeypatch):
    def refuse(self):
        raise AssertionError("the whole file is read")

    monkeypatch.setattr(SourceTable, "load", refuse)
    (tmp_path / "new.csv").write_text("a,b\n1,x\n2,y\n3,z\n")
    source = {"type": "layerwise.datasets.SourceTable", "path": str(tmp_path), "file": {"name": "new.csv"}}
    rows = EntryRowsDataset(name="new", dataset=source, chunk_rows=2).load()
    assert [part.lines for part in rows.chunks()] == [["1,x", "2,y"], ["3,z"]]
    source["file"] = {"name": "absent.csv"}
    with pytest.raises(DatasetError, match=r"absent\.csv"):
        EntryRowsDataset(name="new", dataset=source).load()


@pytest.fixture(scope="module")
def trained(project):
    """A model of the forest fires, and entries of new rows."""
    folder = project.path / "conf/entries"
    folder.mkdir()
    fires = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    with sqlite3.connect(project.path / "fires.db") as connection:
        fires.to_sql("fires", connection, index=False)
    fires.to_parquet(project.path / "fires.parquet")
    source = yaml.safe_load((project.path / "conf/forest_fires_size/catalog.yml").read_text())
    new = {"type": "pandas.ParquetDataset", "filepath": "fires.parquet"}
    con = {"con": f"sqlite:///{project.path}/fires.db"}
    query = {"type": "pandas.SQLQueryDataset", "sql": "select * from fires", "credentials": con}
    entries = {"raw": source["raw"], "new_fires": new, "queried": query}
    (folder / "catalog.yml").write_text(yaml.safe_dump(entries))
    problem = yaml.safe_load((project.path / "conf/forest_fires_size/parameters.yml").read_text())
    problem["problem"]["name"] = "entries"
    (folder / "parameters.yml").write_text(yaml.safe_dump(problem))
    project.run("mlp", env="entries", evaluation={"baselines": False})
    return project, project.last_run()[0]


def answers(trained, rows, **more):
    project, model = trained
    given = {"model": model, "input": rows, "output": str(project.path / "answers.csv")}
    project.run("predict", env="entries", predict=given)
    return pd.read_csv(project.path / "answers.csv")


def test_an_entry_is_answered_as_the_file_of_its_rows(trained):
    project, _ = trained
    expected = answers(trained, str(project.path / "data/01_raw/forest_fires/forestfires_uci.csv"))
    assert expected["error"].isna().all()
    for name in ("raw", "new_fires", "queried"):
        found = answers(trained, name)
        assert found["prediction"].tolist() == expected["prediction"].tolist(), name
        np.testing.assert_array_equal(found["probability_large"], expected["probability_large"])


def test_an_entry_is_evaluated_as_its_file_is(trained):
    project, model = trained
    project.run("evaluate", env="entries", evaluate={"model": model, "input": "queried", "bootstrap": 0})
    run, status = project.last_run()
    assert status == "FINISHED"
    metrics = dict(project.query("select key, value from latest_metrics where run_uuid=?", run))
    assert metrics["evaluate/rows"] == 517


def test_a_name_that_is_neither_a_file_nor_an_entry_is_refused(trained):
    with pytest.raises((DataError, DatasetError), match="there is no file nothing"):
        answers(trained, "nothing")
