"""Lines to rows: quotes that enclose, quotes that are stray, and the numbers of the lines."""

import random

from layerwise.data.reading.files.text import records
from layerwise.data.reading.files.text.records import STRAY_QUOTE, TOO_LONG, Dialect, read_records

COMMAS = Dialect()


def rows(text, dialect=COMMAS):
    return [tuple(each) for each in read_records(text.splitlines(keepends=True), dialect)]


def test_rows_have_the_numbers_of_their_lines_and_empty_lines_are_none():
    assert rows("a,b\n\n1,2\r\n\n3,4") == [
        (1, "a,b", ["a", "b"], ""),
        (3, "1,2", ["1", "2"], ""),
        (5, "3,4", ["3", "4"], ""),
    ]


def test_a_quoted_cell_holds_separators_quotes_and_line_ends():
    found = rows('a,b\n"x, ""y""","two\nlines"\n3,4\n')
    assert found[1] == (2, '"x, ""y""","two\nlines"', ['x, "y"', "two\nlines"], "")
    assert found[2][:3] == (4, "3,4", ["3", "4"])


def test_blanks_before_a_quoted_cell_are_left_out():
    assert rows('a,b\n1, "x, y"\n')[1][2] == ["1", "x, y"]


def test_a_quote_within_a_cell_is_text():
    assert rows('a,b\n1,12" pipe\n')[1] == (2, '1,12" pipe', ["1", '12" pipe'], "")


def test_a_stray_quote_costs_its_row_alone():
    text = 'a,b,c\n1,"half open,x\n2,y,z\n3,"a" b,c\n4,"right",r\n'
    assert [(line, reason) for line, _, _, reason in rows(text)] == [
        (1, ""),
        (2, STRAY_QUOTE),
        (3, ""),
        (4, STRAY_QUOTE),
        (5, ""),
    ]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them():
    text = 'a,b,c\n1,"open,x\n2,y,z\n3,y,z\n4,shut",x\n5,y,z\n'
    found = rows(text)
    assert [each[0] for each in found if not each[3]] == [1, 3, 4, 5, 6]
    assert found[1][3] == STRAY_QUOTE
    # The second quote stands within a cell, and is text there.
    assert found[4][2] == ["4", 'shut"', "x"]


def test_a_quote_that_nobody_closes_costs_one_row_of_a_long_file():
    text = "a,b\n" + '1,"open\n' + "2,y\n" * 5_000
    found = rows(text)
    assert len(found) == 5_002
    assert [each[0] for each in found if each[3]] == [2]


def test_a_cell_that_is_too_long_costs_its_row():
    found = rows(f"a,b\n1,{'x' * 140_000}\n2,y\n")
    assert [each[3] for each in found] == ["", TOO_LONG, ""]


def test_without_a_quote_every_quote_is_text():
    assert rows('a\tb\n"x\ty"\n', Dialect("\t", ""))[1][2] == ['"x', 'y"']


def test_blocks_of_any_size_give_the_same_rows(monkeypatch):
    draw = random.Random(0)
    cells = ["1", "x y", '"q, r"', '"two\nlines"', '"a ""b"""', "12in", '"open', 'shut"', ""]
    text = "a,b,c\n" + "".join(",".join(draw.choice(cells) for _ in range(3)) + "\n" for _ in range(300))
    whole = rows(text)
    assert 50 < sum(bool(each[3]) for each in whole) < 250
    for size in (1, 2, 7, 100):
        monkeypatch.setattr(records, "BLOCK_LINES", size)
        assert rows(text) == whole
