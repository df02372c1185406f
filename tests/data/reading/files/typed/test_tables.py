"""Parquet files and workbooks: their values, told by content, and the sheet to read."""

import datetime

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layerwise.data import DataError
from layerwise.data.reading import (
    ReadingSettings,
    UnreadableError,
    iter_text_tables,
    read_text_table,
    resolve_file_format,
    without_malformed,
)

PLAIN = ReadingSettings()


def table(path, settings=PLAIN):
    return read_text_table(path, resolve_file_format(path, settings))


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


ROWS = [["age", None, " city "], [1, 0, "x"], [2.5, 1, None], [None, None, None], [3, 2, "y"]]


def test_a_workbook_is_read_by_content_with_the_numbers_of_its_rows(tmp_path):
    path = workbook(tmp_path / "table.xlsx", data=ROWS, empty=[]).rename(tmp_path / "table.csv")
    found = table(path)
    assert found.cells.to_dict("list") == {"age": [1, 2.5, 3], "city": ["x", None, "y"]}
    assert found.line_numbers.tolist() == [2, 3, 5]


def test_several_sheets_stop_with_the_setting_to_add(tmp_path):
    path = workbook(tmp_path / "t.xlsx", one=ROWS, two=[["a"], [datetime.datetime(2023, 1, 5)]])
    with pytest.raises(
        DataError, match=r"has the sheets 'one', 'two': add problem.reading.sheet: one or another one"
    ):
        resolve_file_format(path, ReadingSettings())
    for sheet in ("two", 1):
        found = table(path, ReadingSettings(sheet=sheet))
        assert found.cells["a"].tolist() == [datetime.datetime(2023, 1, 5)]
    with pytest.raises(DataError, match=r"no sheet 'three'; it has 'one', 'two'"):
        table(path, ReadingSettings(sheet="three"))


def test_the_sheet_with_the_table_is_proposed_and_not_its_cover(tmp_path):
    path = workbook(tmp_path / "t.xlsx", cover=[["Report"], ["made by", "us"]], data=ROWS, legend=[["a"]])
    with pytest.raises(UnreadableError) as raised:
        resolve_file_format(path, ReadingSettings())
    (setting,) = raised.value.suggestions
    assert (setting.key, setting.value, setting.other) == ("sheet", "data", "cover")


def test_lines_before_a_sheets_header_are_skipped_and_totals_left_out(tmp_path):
    rows = [["Report"], [], ["a", "b", "c", "d"], [1, 2, 3, 4], ["Total", None, None, 4]]
    path = workbook(tmp_path / "t.xlsx", data=rows)
    with pytest.raises(
        DataError, match=r"2 line\(s\) before its header.*'Report': add problem.reading.skip_lines: 2"
    ):
        resolve_file_format(path, ReadingSettings())
    kept, notes = without_malformed(table(path, ReadingSettings(skip_lines=2)), ReadingSettings())
    assert kept.cells.to_dict("list") == {"a": [1], "b": [2], "c": [3], "d": [4]}
    assert notes == ("1 row(s) left out, the first in line 5: the row is a total of other rows",)


def test_a_parquet_file_keeps_whole_numbers_beside_empty_cells(tmp_path):
    frame = pd.DataFrame({"id": pd.array([2**60 + 1, None], "Int64"), "x": [1.5, np.nan], "s": ["a", None]})
    path = tmp_path / "t.csv"
    frame.to_parquet(path)
    found = table(path)
    assert found.cells["id"].tolist() == [2**60 + 1, None]
    assert found.cells["s"].tolist()[0] == "a"
    assert found.cells["s"].isna().tolist() == [False, True]
    assert found.line_numbers.tolist() == [1, 2]


def test_the_index_of_pandas_is_a_column_only_where_it_has_a_name(tmp_path):
    frame = pd.DataFrame({"x": [1, 2]}, index=[5, 7])
    frame.to_parquet(tmp_path / "t")
    assert list(table(tmp_path / "t").cells) == ["x"]
    frame.rename_axis("id").to_parquet(tmp_path / "t")
    assert sorted(table(tmp_path / "t").cells) == ["id", "x"]


def test_parts_of_a_parquet_file_make_the_whole(tmp_path):
    frame = pd.DataFrame({"x": np.arange(10) / 3, "s": [f"v,{k}" for k in range(10)]})
    frame.to_parquet(tmp_path / "t")
    parts = list(iter_text_tables(tmp_path / "t", resolve_file_format(tmp_path / "t", ReadingSettings()), 4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert np.concatenate([part.line_numbers for part in parts]).tolist() == list(range(1, 11))
    assert parts[1].lines[0] == '1.3333333333333333,"v,4"'
    pd.testing.assert_frame_equal(pd.concat([part.cells for part in parts], ignore_index=True), frame)


def test_nested_cells_and_broken_files_are_refused(tmp_path):
    pq.write_table(pa.table({"x": [[1, 2], [3]]}), tmp_path / "t")
    with pytest.raises(DataError, match="column 'x' holds lists"):
        table(tmp_path / "t")
    (tmp_path / "cut").write_bytes(b"PAR1" + bytes(50))
    with pytest.raises(DataError, match="cut is damaged, or no Parquet file"):
        table(tmp_path / "cut")
