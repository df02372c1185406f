import bz2
import gzip
import json

import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.reading import FileFormat, iter_text_tables, resolve_file_format
from layerwise.data.reading.settings import ReadingSettings


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("chunk_rows", [1, 2, 5, 1500])
def test_cells_keep_their_types_in_parts_of_any_size(tmp_path, chunk_rows):
    rows = [{"a": k if k % 2 else str(k), "b": None if k % 3 else True} for k in range(1203)]
    path = write(tmp_path / "rows.txt", *rows)
    parts = list(iter_text_tables(path, FileFormat(), chunk_rows))
    assert [len(part) for part in parts[:-1]] == [chunk_rows] * (len(parts) - 1)
    found = [row for part in parts for row in part.cells.to_dict(orient="records")]
    assert found == rows
    assert [line for part in parts for line in part.line_numbers] == list(range(1, 1204))


def test_a_later_row_may_lack_columns_and_others_are_left_out(tmp_path):
    rows = [{"a": 1}, {"b": 2}, *[{"a": 0, "b": 0}] * 998, {"a": 3, "c": 4}, {}]
    path = write(tmp_path / "rows.jsonl", *rows)
    assert resolve_file_format(path, ReadingSettings()).columns == ("a", "b")
    (part,) = iter_text_tables(path, FileFormat(), 2000)
    assert part.cells.iloc[[0, 1, 1000, 1001]].to_numpy().tolist() == [
        [1, None],
        [None, 2],
        [3, None],
        [None] * 2,
    ]


@pytest.mark.parametrize("line", ["{", "[1]", "1", "\xff"])
def test_a_line_that_is_no_row_is_named(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n\n' + line.encode("latin-1") + b"\n")
    with pytest.raises(DataError, match="line 3: no JSON object of names and values"):
        list(iter_text_tables(path, FileFormat(), 10))


def test_a_table_whose_header_begins_with_a_brace_stays_text(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("{a,b}\n1,2\n")
    assert resolve_file_format(path, ReadingSettings()).contents == "text"


TABLE = [{"a": 1, "b": "x"}, {"a": 2, "b": None}, {"a": 3, "b": "z"}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "whole",
    [
        TABLE,
        {"data": TABLE},
        {"status": "ok", "count": 3, "paging": {"next": None}, "response": {"items": TABLE}},
        {"a": [1, 2, 3], "b": ["x", None, "z"]},
        {"a": {"0": 1, "1": 2, "2": 3}, "b": {"0": "x", "1": None, "2": "z"}},
        {"columns": ["a", "b"], "index": [0, 1, 2], "data": [[1, "x"], [2, None], [3, "z"]]},
    ],
    ids=["array", "data", "deep", "lists", "columns", "split"],
)
def test_one_object_or_array_holds_the_rows_in_any_form_that_pandas_and_servers_write(
    tmp_path, whole, indent
):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(whole, indent=indent))
    assert resolve_file_format(path, ReadingSettings()).columns == ("a", "b")
    (part,) = iter_text_tables(path, FileFormat(), 10)
    assert part.cells.to_dict(orient="records") == TABLE
    assert part.line_numbers.tolist() == [1, 2, 3]


@pytest.mark.parametrize("as_array", [True, False])
def test_objects_within_a_row_are_columns_named_as_pandas_names_them(tmp_path, as_array):
    rows = [
        {"id": k, "user": {"age": 30 + k, "home": {"town": "Rome"}}, "tags": ["a", "ü"][:k], "geo": {}}
        for k in range(3)
    ]
    path = tmp_path / "t.json"
    path.write_text(json.dumps(rows) if as_array else "".join(json.dumps(row) + "\n" for row in rows))
    (part,) = iter_text_tables(path, FileFormat(), 10)
    cells = part.cells.to_dict(orient="records")
    assert cells[2] == {"id": 2, "user.age": 32, "user.home.town": "Rome", "tags": '["a", "ü"]'}
    assert list(pd.json_normalize(rows)) == [*list(part.cells)[:1], "tags", "user.age", "user.home.town"]
    assert cells[0]["tags"] == "[]"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"a": 1, "orders": [{"n": 1}]}, "'orders' holds a list of objects, .*record_path=.'orders'."),
        ({"a": {"b": [[{"n": 1}]]}}, "'a.b' holds a list of objects"),
        ({"a.b": 1, "a": {"b": 2}}, "'a.b' is there twice, as a name and as a path"),
    ],
)
def test_rows_within_a_row_are_refused_with_what_makes_a_table_of_them(tmp_path, row, message):
    path = write(tmp_path / "t.jsonl", {"a": 1}, row)
    with pytest.raises(DataError, match=f"line 2: {message}"):
        list(iter_text_tables(path, FileFormat(), 10))


def test_of_several_tables_none_is_taken(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"users": TABLE, "orders": TABLE}))
    with pytest.raises(DataError, match="several lists of objects, 'users', 'orders'"):
        list(iter_text_tables(path, FileFormat(), 10))


def test_objects_too_deep_within_each_other_are_refused(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n' + '{"a": ' * 300 + "1" + "}" * 300 + "\n")
    with pytest.raises(DataError, match="line 2: objects lie within each other more than 20 deep"):
        list(iter_text_tables(path, FileFormat(), 10))


@pytest.mark.parametrize("opener", [gzip.open, bz2.open])
@pytest.mark.parametrize("rows", [1, 3])
def test_compressed_json_is_read_as_it_is_unpacked(tmp_path, opener, rows):
    path = tmp_path / "t.jsonl.gz"
    with opener(path, "wt") as file:
        file.write("\n\n".join(json.dumps(row) for row in TABLE[:rows]))
    (part,) = iter_text_tables(path, FileFormat(), 10)
    assert part.cells.to_dict(orient="records") == TABLE[:rows]
