import json

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


@pytest.mark.parametrize("line", ["{", "[1]", '{"a": [1]}', "\xff"])
def test_a_line_that_is_no_row_is_named(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n\n' + line.encode("latin-1") + b"\n")
    with pytest.raises(DataError, match="line 3: no JSON object of names and plain values"):
        list(iter_text_tables(path, FileFormat(), 10))


def test_a_table_whose_header_begins_with_a_brace_stays_text(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("{a,b}\n1,2\n")
    assert resolve_file_format(path, ReadingSettings()).contents == "text"
