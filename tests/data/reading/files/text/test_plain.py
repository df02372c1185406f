"""Plain text read at once: the same cells as one by one, and numbers only where `float` reads each of them so."""

import random

import numpy as np
import pytest

from layerwise.data.reading import (
    FileFormat,
    NumberColumns,
    ReadingSettings,
    iter_text_tables,
    number_columns,
    read_text_table,
)

CELLS = ["1", "-2.5", "+3", " 4 ", "1e300", "5.", ".5", "007", "0", "0.25", "", "NA", "x", "True", "inf", "1,5",
         "12345678901234567890", "0x1F", "1_000", "Köln", '"q"', "0.1000000000000000055511151231257827"]  # fmt: skip
KINDS = {
    "floats": ["1.5", "-0.25", "3e-5", "7", "", " 2.5"],
    "whole": ["1", "20", "-3"],
    "codes": ["007", "010", "123"],
    "words": ["red", "green", "", "NA"],
    "mostly": ["1", "2", "3", "4", "5", "6", "NA"],
    "flags": ["True", "False"],
}


def text_of(draw, columns, n, endings="\n"):
    rows = [",".join(draw.choice(KINDS[name]) for name in columns) for _ in range(n)]
    return (endings.join([",".join(columns), *rows]) + endings).encode()


def assert_same_cells(plain, slow):
    assert list(plain.cells) == list(slow.cells)
    assert plain.line_numbers.tolist() == slow.line_numbers.tolist()
    assert plain.malformed == slow.malformed
    for name, column in plain.cells.items():
        texts = slow.cells[name].tolist()
        if column.dtype.kind in "if":
            expected = [float(text) if text else np.nan for text in texts]
            np.testing.assert_array_equal(column.to_numpy(dtype=float), expected)
        else:
            assert column.tolist() == texts


@pytest.mark.parametrize("seed", range(30))
def test_any_cells_are_read_as_one_by_one(seed):
    draw = random.Random(seed)
    few = draw.sample(CELLS, 4)
    n = draw.choice([2, 3])
    rows = [",".join(draw.choice(few) for _ in range(draw.choice([n] * 9 + [n + 1]))) for _ in range(30)]
    text = "\n".join([",".join("abc"[:n]), *rows, *[""] * draw.choice([0, 2])]).encode()
    slow = read_text_table(text, FileFormat())
    assert_same_cells(read_text_table(text, FileFormat(), numbers=NumberColumns()), slow)


@pytest.mark.parametrize("part_lines", [7, 1000])
@pytest.mark.parametrize("endings", ["\n", "\r\n"])
def test_columns_of_numbers_become_numbers_and_others_stay_text(monkeypatch, part_lines, endings):
    monkeypatch.setattr("layerwise.data.reading.files.read.PART_LINES", part_lines)
    text = text_of(random.Random(0), list(KINDS), 200, endings)
    numbers = number_columns(FileFormat(), ReadingSettings())
    found = read_text_table(text, FileFormat(), numbers=numbers)
    assert_same_cells(found, read_text_table(text, FileFormat()))
    kinds = {name: column.dtype.kind for name, column in found.cells.items()}
    assert kinds == {"floats": "f", "whole": "i", "codes": "O", "words": "O", "mostly": "O", "flags": "O"}


def test_columns_that_settings_name_stay_text():
    text = text_of(random.Random(1), ["floats", "whole"], 20)
    settings = ReadingSettings(columns={"whole": "category"})
    found = read_text_table(text, FileFormat(), numbers=number_columns(FileFormat(), settings, ["floats"]))
    assert [kind.kind for kind in found.cells.dtypes] == ["O", "O"]


@pytest.mark.parametrize(
    ("file_format", "settings"),
    [
        (FileFormat(separator=";"), ReadingSettings()),
        (FileFormat(), ReadingSettings(decimal=",")),
        (FileFormat(), ReadingSettings(thousands=".")),
    ],
)
def test_nothing_is_read_at_once_where_a_mark_may_mean_something_else(file_format, settings):
    assert number_columns(file_format, settings) is None


def test_a_row_that_is_longer_and_one_that_is_shorter_do_not_cancel_out():
    text = b"a,b,c\n1,2,3\n1,2,3,4\n1,2\n1,2,3\n"
    found = read_text_table(text, FileFormat(), numbers=NumberColumns())
    assert sorted(found.malformed) == [1, 2]


def test_parts_keep_their_lines_in_any_separator():
    text = b"a;b\n1.5;x, y\n2.5;z\n"
    (part,) = iter_text_tables(text, FileFormat(separator=";"), 10, NumberColumns())
    assert part.lines == ['1.5,"x, y"', "2.5,z"]
    assert part.cells["a"].tolist() == [1.5, 2.5]


def test_totals_are_found_among_numbers_too():
    text = b"name,a,b,c\nx,1,2,3\nTotal,,,3\n"
    found = read_text_table(text, FileFormat(), numbers=NumberColumns())
    assert list(found.malformed) == [1]


def test_every_blank_of_unicode_around_a_cell_is_left_out_as_from_one_read_alone():
    blanks = [chr(k) for k in range(0x3001) if chr(k).isspace() and chr(k) not in "\r\n"]
    assert len(blanks) > 20
    rows = [f"{blank}a{blank},{k},b{blank}c{blank}" for k, blank in enumerate(blanks)]
    text = "\n".join(["x,n,y", *rows, ",1,x"]).encode()
    found = read_text_table(text, FileFormat(), numbers=NumberColumns())
    assert found.cells["n"].dtype.kind == "i"  # it was read at once
    assert found.cells["x"].tolist() == [*["a"] * len(blanks), ""]
    assert_same_cells(found, read_text_table(text, FileFormat()))
