import csv
import random

import numpy as np
import pandas as pd
import pytest

from layerwise.data.reading import FileFormat, format_csv_line, iter_text_tables, read_marked, write_marked
from layerwise.data.reading.files.text.marks import marked, marks_file, unmarked


def cells_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    "cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-1+1", "\t=1", "\rx", "-", "'=x", "''@"]
)
def test_what_a_spreadsheet_takes_for_a_formula_gets_one_apostrophe(cell):
    assert marked(cell) == "'" + cell
    assert unmarked("'" + cell) == cell


@pytest.mark.parametrize(
    "cell", ["", "a=b", "-1.5e-3", "+49 176", "-1.234,50 €", "-5 %", "-inf", "'a", "1", "a@b.c"]
)
def test_numbers_and_other_text_stay_as_they_are(cell):
    assert marked(cell) == cell
    assert unmarked(cell) == cell


def test_any_table_reads_as_it_was_and_its_raw_cells_are_the_marked_ones(tmp_path):
    rng, path = random.Random(0), tmp_path / "x.csv"

    def cell():
        return "".join(rng.choice("=+-@\t\r'\"\n,a1. ") for _ in range(rng.randrange(5)))

    for k in range(200):
        rows = [["h", "=k", "key"], *([cell(), "x" + cell(), cell()] for _ in range(4))]
        exempt = ("key",) if k % 2 else ()
        lines = [format_csv_line(row) + "\n" for row in rows]
        write_marked(path, [lines[0], lines[1] + lines[2], "".join(lines[3:])], exempt)
        wanted = [[c if exempt and j == 2 else marked(c) for j, c in enumerate(row)] for row in rows]
        assert cells_of(path) == wanted
        table = read_marked(path)
        assert [str(name) for name in table] == rows[0]
        (part,) = iter_text_tables(path, FileFormat(quote='"'), 100)
        assert next(csv.reader([part.lines[0]])) == rows[1] or "\n" in "".join(rows[1])


def test_apostrophes_of_others_stay(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n'=1,2\n")
    assert read_marked(path).loc[0, "a"] == "'=1"
    write_marked(path, ["a,b\n", "=1,2\n"])
    assert path.read_text() == "a,b\n'=1,2\n"
    assert read_marked(path).loc[0, "a"] == "=1"
    # Another file took the name: what is said of the marked one is not true of it.
    path.write_text("a,b\n'=1,3\n")
    assert read_marked(path).loc[0, "a"] == "'=1"


def test_a_file_without_a_mark_is_said_nothing_of_and_keeps_its_bytes(tmp_path):
    path = tmp_path / "x.csv"
    write_marked(path, ["a,b\n", "=1,2\n"])
    assert marks_file(path).exists()
    text = 'a,b\n-1.50,"x, y"\n007,"two\nlines"\n'
    write_marked(path, [text[:4], text[4:]])
    assert path.read_text() == text
    assert not marks_file(path).exists()


def test_a_table_of_predictions_keeps_its_class_names(tmp_path):
    from layerwise.datasets import TableDataset

    table = pd.DataFrame({"true": ["=a", "b"], "predicted": ["b", "=a"], "probability_=a": [0.25, 1 / 3]})
    dataset = TableDataset(filepath=str(tmp_path / "p" / "test_predictions.csv"), float_format="%.6g")
    assert not dataset.exists()
    dataset.save(table)
    assert cells_of(tmp_path / "p" / "test_predictions.csv")[1:] == [
        ["'=a", "b", "0.25"],
        ["b", "'=a", "0.333333"],
    ]
    pd.testing.assert_frame_equal(dataset.load(), table, atol=1e-6)
    assert dataset.preview()["data"][0] == ["=a", "b", 0.25]


def test_formatted_numbers_are_those_that_pandas_writes(tmp_path):
    from layerwise.datasets import TableDataset

    values = [0.1 + 0.2, -1e-7, np.nan, np.inf, -0.0, 12345678.9, 2.0]
    table = pd.DataFrame({"a": values, "b": np.float32(values), "n": range(7), "": values}).astype(
        {"b": "float32"}
    )
    TableDataset(filepath=str(tmp_path / "t.csv"), float_format="%.6g").save(table)
    assert (tmp_path / "t.csv").read_text() == table.to_csv(index=False, float_format="%.6g")
    assert table["a"].dtype == "float64"  # the rows that were given stay as they are
