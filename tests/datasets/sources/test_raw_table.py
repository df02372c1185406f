import sqlite3

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, DatasetError

from layerwise.data.sources import sha256_of
from layerwise.datasets import with_origin

TABLE = pd.DataFrame({"age": [31, 42, 53], "city": ["Rome", "Oslo", "Rome"], "kept": [1, 0, 1]})


def raw(entry, credentials=None):
    return DataCatalog.from_config({"raw": with_origin(entry)}, credentials)


def written(folder, kind):
    path = folder / f"table.{kind}"
    index = {"index": False}
    {"parquet": TABLE.to_parquet, "xlsx": TABLE.to_excel, "csv": TABLE.to_csv}[kind](path, **index)
    return path


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("parquet", "pandas.ParquetDataset"),
        ("xlsx", "pandas.ExcelDataset"),
        ("csv", "pandas.CSVDataset"),
        ("parquet", "polars.EagerPolarsDataset"),
        ("csv", "polars.LazyPolarsDataset"),
    ],
)
def test_any_dataset_of_a_table_gives_a_frame_with_its_file_and_hash(tmp_path, kind, name):
    path = written(tmp_path, kind)
    entry = {"type": name, "filepath": str(path)}
    if name.startswith("polars"):
        entry["file_format"] = kind
    frame = raw(entry).load("raw")
    pd.testing.assert_frame_equal(frame, TABLE, check_dtype=False)
    assert frame.attrs == {"source": str(path), "sha256": sha256_of(path)}


@pytest.fixture
def database(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        TABLE.to_sql("customers", connection, index=False)
    return tmp_path / "shop.db"


def query(database, sql):
    entry = {"type": "pandas.SQLQueryDataset", "sql": sql, "credentials": "shop"}
    return raw(entry, {"shop": {"con": f"sqlite:///{database}"}})


def test_a_query_says_itself_and_a_hash_of_its_rows_and_never_its_connection(database):
    sql = "select * from customers where age > 40"
    catalog = query(database, sql)
    frame = catalog.load("raw")
    assert frame["age"].tolist() == [42, 53]
    assert frame.attrs["source"] == sql
    assert catalog.load("raw").attrs == frame.attrs
    assert "sqlite" not in str(catalog["raw"])
    with sqlite3.connect(database) as connection:
        connection.execute("update customers set age = 43 where age = 42")
    changed = query(database, sql).load("raw")
    assert changed.attrs["source"] == sql
    assert changed.attrs["sha256"] != frame.attrs["sha256"]


def test_rows_of_lists_have_a_hash_too(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('[{"a": [1, 2]}, {"a": [3]}]')
    entry = {"type": "pandas.JSONDataset", "filepath": f"memory://{path}"}
    wrapped = raw(entry)["raw"]
    frame = pd.read_json(path)
    assert wrapped._sha256(frame) == wrapped._sha256(frame.copy())
    assert wrapped._sha256(frame) != wrapped._sha256(frame[::-1])


def test_what_is_no_table_or_has_no_rows_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("[1, 2]")
    with pytest.raises(DatasetError, match="raw gives list, and rows are a DataFrame"):
        raw({"type": "json.JSONDataset", "filepath": str(tmp_path / "a.json")}).load("raw")
    TABLE[:0].to_csv(tmp_path / "empty.csv", index=False)
    with pytest.raises(DatasetError, match="3 columns but no rows"):
        raw({"type": "pandas.CSVDataset", "filepath": str(tmp_path / "empty.csv")}).load("raw")


def test_an_entry_of_the_projects_own_or_of_images_stays_as_it_is():
    for entry in (
        {"type": "layerwise.datasets.SourceTable", "path": "a"},
        {"type": "layerwise.datasets.EmbeddedDigits"},
    ):
        assert with_origin(entry) == entry


def test_the_checks_and_layers_of_an_entry_stay_at_its_own_level():
    entry = {"type": "pandas.CSVDataset", "filepath": "a.csv", "validator": "a.B", "metadata": {"x": 1}}
    found = with_origin(entry)
    assert found["dataset"] == {"type": "pandas.CSVDataset", "filepath": "a.csv"}
    assert (found["validator"], found["metadata"]) == ("a.B", {"x": 1})


def test_a_run_on_a_query_knows_its_source_and_rows(fresh_project, monkeypatch):
    fires = pd.read_csv("data/01_raw/forest_fires/forestfires_uci.csv")
    fires["large"] = (fires["area"] > 6).map({True: "yes", False: "no"})
    with sqlite3.connect("fires.db") as connection:
        fires.drop(columns="area").to_sql("fires", connection, index=False)
    sql = "select * from fires where month in ('aug', 'sep')"
    folder = fresh_project.path / "conf/stored"
    folder.mkdir()
    entry = {"type": "pandas.SQLQueryDataset", "sql": sql, "credentials": "fires"}
    (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": entry}))
    (folder / "credentials.yml").write_text("fires:\n  con: ${oc.env:FIRES_DATABASE}\n")
    problem = {"name": "stored", "task": "binary", "target": "large"}
    (folder / "parameters.yml").write_text(yaml.safe_dump({"problem": problem}))
    monkeypatch.setenv("FIRES_DATABASE", "sqlite:///fires.db")
    fresh_project.run("mlp", env="stored", to_nodes=["preprocessing.describe_rows_mlp"])
    run, status = fresh_project.last_run()
    assert status == "FINISHED"
    tags = dict(fresh_project.query("select key, value from tags where run_uuid=?", run))
    rows = fires["month"].isin(["aug", "sep"]).sum()
    assert (tags["data.source"], tags["data.rows"]) == (sql, str(rows))
    assert len(tags["data.sha256"]) == 64
    assert all("sqlite" not in str(row) for row in fresh_project.query("select * from params"))
