"""Files to cells: what the cells are, which rows cannot be read, and that parts make the whole."""

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.reading import (
    FileFormat,
    NumberColumns,
    ReadingSettings,
    format_csv_cells,
    format_csv_line,
    iter_text_tables,
    read_header,
    read_text_table,
    resolve_file_format,
    without_malformed,
)

PLAIN = ReadingSettings()


def table(path, settings=PLAIN):
    return read_text_table(path, resolve_file_format(path, settings))


def written(tmp_path, text, name="t.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_cells_are_text_as_it_stands_without_the_blanks_around_it(tmp_path):
    found = table(written(tmp_path, 'a, b ,c\n00420, NA ,"x, y"\n1e3,,\xa0z\n'))
    assert found.cells.to_dict("list") == {"a": ["00420", "1e3"], "b": ["NA", ""], "c": ["x, y", "z"]}
    assert set(found.cells.dtypes) == {np.dtype(object)}
    assert found.line_numbers.tolist() == [2, 3]
    assert found.notes == ("blanks around cells left out: b, c", "blanks around names left out: b")


def test_an_unnamed_column_is_left_out_and_said(tmp_path):
    found = table(written(tmp_path, ",a,b\n0,x,1\n1,y,2\n"))
    assert list(found.cells) == ["a", "b"]
    assert found.header == ("", "a", "b")
    assert found.notes == ("column(s) 1 without a name left out, as numbers and names of rows are",)


def test_an_unnamed_column_is_said_for_what_it_likeliest_is(tmp_path):
    assert table(written(tmp_path, "a;b;\n1;x;\n2;y;\n", "ends.csv")).notes == (
        "column(s) 3 without a name left out: lines that end with a separator have one more",
    )
    assert table(written(tmp_path, ",a,,b\n0,x,u,1\n1,y,v,2\n", "within.csv")).notes == (
        "column(s) 1 without a name left out, as numbers and names of rows are",
        "column(s) 3 without a name left out: name them if they hold something",
    )


def test_rows_of_another_length_are_malformed_by_position(tmp_path):
    found = table(written(tmp_path, "a,b\n1,2\n1\n\n1,2,3\n3,4\n"))
    assert found.malformed == {
        1: "the row has 1 cells, and the header 2",
        2: "the row has 3 cells, and the header 2",
    }
    assert found.line_numbers.tolist() == [2, 3, 5, 6]
    assert found.cells["a"].tolist() == ["1", "", "", "3"]


def test_training_refuses_rows_that_cannot_be_read_or_leaves_them_out(tmp_path):
    path = written(tmp_path, "a,b\n1,2\n1\n1,2,3\n3,4\n")
    with pytest.raises(
        DataError, match=r"t.csv, line 3: the row has 1 cells, and the header 2; 2 of 4 rows cannot"
    ):
        without_malformed(table(path), PLAIN)
    kept, notes = without_malformed(table(path), ReadingSettings(bad_rows="drop"))
    assert kept.cells["b"].tolist() == ["2", "4"]
    assert kept.line_numbers.tolist() == [2, 5]
    assert kept.malformed == {}
    assert notes == (
        "1 row(s) left out, the first in line 3: the row has 1 cells, and the header 2",
        "1 row(s) left out, the first in line 4: the row has 3 cells, and the header 2",
    )


def test_a_header_with_a_name_too_few_is_refused_whatever_is_done_with_bad_rows(tmp_path):
    found = table(written(tmp_path, "a,b\n0,x,1\n1,y,2\n"))
    with pytest.raises(DataError, match="2 of 2 rows cannot be read: the header has to name every column"):
        without_malformed(found, PLAIN)
    with pytest.raises(DataError, match="2 of 2 rows cannot be read: the header has to name every column"):
        without_malformed(found, ReadingSettings(bad_rows="drop"))


def test_a_total_row_is_left_out_by_what_it_says(tmp_path):
    text = "a,b,c,d\n1,2,3,x\nTotal,,,300\nTotal,1,2,y\n ,Summe:,,4\nnone,,,5\n"
    kept, notes = without_malformed(table(written(tmp_path, text)), PLAIN)
    assert kept.cells["a"].tolist() == ["1", "Total", "none"]
    assert notes == ("2 row(s) left out, the first in line 3: the row is a total of other rows",)


def test_a_byte_that_the_encoding_does_not_know_costs_its_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\nK\xc3\xb6ln,1\nK\xf6ln,2\nBonn,3\n")
    found = read_text_table(path, FileFormat())
    assert found.cells["a"].tolist() == ["Köln", "", "Bonn"]
    assert found.malformed == {1: "the row holds the byte 0xf6, which the file's encoding does not know"}
    assert next(iter_text_tables(path, FileFormat(), 9)).lines[1] == "K\ufffdln,2"


def test_a_windows_file_is_found_out_and_read_alike_by_its_format(tmp_path):
    path = written(tmp_path, "ort;wert\nZürich;1\nKöln;2\nMünchen;3\n", encoding="cp1252")
    file_format = resolve_file_format(path, PLAIN)
    assert (file_format.encoding, file_format.separator) == ("cp1252", ";")
    assert read_text_table(path, file_format).cells["ort"].tolist() == ["Zürich", "Köln", "München"]
    later = written(tmp_path, "ort,wert\nGenf,1\nGraz,2\nKöln,2\n", "later.csv")
    assert read_text_table(later, file_format).cells["ort"].tolist() == ["Genf", "Graz", "Köln"]


def test_a_set_format_is_obeyed(tmp_path):
    path = written(tmp_path, "über uns\na;b\n'x;y';2\n", encoding="cp1252")
    settings = ReadingSettings(encoding="windows-1252", separator=";", quote="'", skip_lines=1)
    assert table(path, settings).cells.to_dict("list") == {"a": ["x;y"], "b": ["2"]}


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_parts_of_a_file_make_the_whole(tmp_path, name):
    text = "a,b,c\n" + "".join(
        f'{k},"x, {k}",{k % 3}\n' + "bad\n" * (k % 7 == 3) + "\n" * (k % 5 == 0) for k in range(100)
    )
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    whole = table(path)
    file_format = resolve_file_format(path, PLAIN)
    for size in (1, 7, 1000):
        parts = list(iter_text_tables(path, file_format, size))
        assert max(len(part) for part in parts) <= size
        pd.testing.assert_frame_equal(pd.concat([p.cells for p in parts], ignore_index=True), whole.cells)
        assert np.concatenate([p.line_numbers for p in parts]).tolist() == whole.line_numbers.tolist()
        starts = np.cumsum([0, *map(len, parts)])
        found = {
            int(start) + k: v for start, p in zip(starts, parts, strict=False) for k, v in p.malformed.items()
        }
        assert found == whole.malformed
        assert [line for p in parts for line in p.lines if not line.startswith("bad")] == [
            f'{k},"x, {k}",{k % 3}' for k in range(100)
        ]
    assert len(whole.malformed) == 14


def test_lines_of_another_separator_become_lines_of_a_csv_file(tmp_path):
    path = written(tmp_path, 'a;b\n1,5;"x;y"\nbad\n')
    (part,) = iter_text_tables(path, resolve_file_format(path, PLAIN), 10)
    assert part.lines == ['"1,5",x;y', "bad,"]


def test_a_file_with_a_header_alone_has_no_rows(tmp_path):
    path = written(tmp_path, "a,b\n")
    assert len(table(path)) == 0
    assert list(table(path).cells) == ["a", "b"]
    assert [len(part) for part in iter_text_tables(path, FileFormat(), 5)] == [0]
    assert read_header(path, FileFormat()) == ["a", "b"]


def test_a_file_without_a_header_that_can_be_read_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no header that can be read: line 1: a quote"):
        read_text_table(written(tmp_path, 'a,"b\n1,2\n'), FileFormat())
    with pytest.raises(DataError, match="has no rows that can be read"):
        table(written(tmp_path, "\n\n"))


def test_the_bytes_of_a_body_are_read_like_a_file(tmp_path):
    text = "a;b\nKöln;1\nbad\n"
    path = written(tmp_path, text)
    file_format = resolve_file_format(path, PLAIN)
    one, other = read_text_table(path, file_format), read_text_table(text.encode(), file_format)
    pd.testing.assert_frame_equal(one.cells, other.cells)
    assert one.malformed == other.malformed


@pytest.mark.parametrize(
    "cells", [["plain", "", "two words"], ["a,b", 'say "x"', "line\nbreak", "", "plain"]]
)
def test_cells_that_are_formatted_together_are_those_formatted_alone(cells):
    assert format_csv_cells(cells) == [format_csv_line([cell]) for cell in cells]


@pytest.mark.parametrize("cells", [["a\nb", "c"], ["a\r", ""], ["\n"], ["x;y\nz", '"', ","], [""]])
def test_a_line_of_cells_is_read_back_as_it_was_whatever_breaks_they_hold(cells):
    assert list(csv.reader(io.StringIO(format_csv_line(cells) + "\n", newline=""))) == [cells]


@pytest.mark.parametrize(
    "note",
    [
        "* in Euro,,,",
        "[a] in current US dollars",
        "Source: own estimates, 2024",
        "Exported by CRM on 2024-09-01,,,",
        "Quelle: Amt,,,",
    ],
)
def test_a_note_below_the_table_is_left_out_and_does_not_stop_training(tmp_path, note):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d\nx,1,2,3\ny,4,5,6\n" + note + "\n")
    settings = ReadingSettings()
    whole = read_text_table(path, resolve_file_format(path, settings))
    assert whole.malformed == {2: "the row is a note below the table"}
    table, said = without_malformed(whole, settings)
    assert len(table) == 2
    assert "1 row(s) left out, the first in line 4: the row is a note below the table" in said


@pytest.mark.parametrize("row", ["x,,,", "a note of words,,,", "*,1,,", "Source: lab,,,yes"])
def test_a_row_with_one_value_or_a_mark_beside_values_is_no_note(tmp_path, row):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d\nx,1,2,3\ny,4,5,6\n" + row + "\n")
    assert read_text_table(path, resolve_file_format(path, ReadingSettings())).malformed == {}


def test_a_note_below_the_rows_of_a_workbook_is_left_out(tmp_path):
    rows = pd.DataFrame({"a": ["x", "y"], "b": [1, 2], "c": [3.5, 4.5]})
    rows.loc[2] = ["Exported by CRM on 2024-09-01", None, None]
    rows.to_excel(tmp_path / "t.xlsx", index=False)
    whole = read_text_table(tmp_path / "t.xlsx", resolve_file_format(tmp_path / "t.xlsx", ReadingSettings()))
    assert list(whole.malformed.values()) == ["the row is a note below the table"]


@pytest.mark.parametrize("size", ["size", "5"])
def test_a_header_that_comes_again_is_no_row(tmp_path, size):
    rows = "".join(f"n{k},{k}\n" for k in range(9))
    path = tmp_path / "t.csv"
    path.write_text(f"name,{size}\n{rows} name ,{size}\n{rows}")
    for found in (
        read_text_table(path, FileFormat()),
        read_text_table(path, FileFormat(), numbers=NumberColumns()),
    ):
        assert found.malformed == {9: "the row repeats the header"}
        assert len(without_malformed(found, PLAIN)[0]) == 18


def test_a_table_of_one_column_may_have_its_name_as_a_value(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("word\nword\nother\n")
    assert read_text_table(path, FileFormat()).malformed == {}
