"""A first line that is a row is told from one of names."""

import numpy as np
import pytest

from layerwise.data import DataError, ReadingSettings
from layerwise.data.reading import UnreadableError, read_text_table, resolve_file_format

ROWS = {
    "fractions": "5.1,3.5,setosa\n4.9,3.0,virginica\n",
    "whole numbers": "39,State-gov,13\n50,Private,13\n38,Private,9\n",
    "numbers alone": "1.5,0\n-2,1\n0.25,1\n",
    "a repeated number": "5,1,1\n3,2,8\n6,1,4\n",
    "words alone": "p,x,s\ne,x,y\ne,b,s\n",
}
NAMES = {
    "names": "length,width,kind\n4.9,3.0,setosa\n",
    "years": "country,2019,2020\nOslo,1.5,2.5\n",
    "positions": "0,1,2,label\n0.5,1,2,a\n",
    "positions without a name beside them": "0,1,2\n0.5,1,2\n",
    "wavelengths": "400.5,401.5,kind\n0.1,0.2,a\n0.3,0.4,b\n",
    "words": "answer,city\nyes,Oslo\nno,Bergen\n",
}


def file(tmp_path, text):
    """A file of 40 rows that begins with a text, whose last lines come again and again."""
    first, *rest = text.splitlines()
    path = tmp_path / "t.csv"
    path.write_text("\n".join([first, *(rest * 40)[:39], *([first] if text in ROWS.values() else [])]) + "\n")
    return path


@pytest.mark.parametrize("kind", ROWS)
def test_a_first_line_that_is_a_row_stops_with_the_setting_to_add(tmp_path, kind):
    path = file(tmp_path, ROWS[kind])
    with pytest.raises(
        DataError, match=r"looks like a row: add the names to problem\.reading, such as names: "
    ):
        resolve_file_format(path, ReadingSettings())
    n = len(ROWS[kind].split("\n")[0].split(","))
    names = [f"c{k}" for k in range(n)]
    table = read_text_table(path, resolve_file_format(path, ReadingSettings(names=names)))
    assert list(table.cells) == names
    assert len(table) == 41
    assert table.line_numbers[0] == 1


@pytest.mark.parametrize("kind", NAMES)
def test_years_positions_and_words_are_names(tmp_path, kind):
    path = file(tmp_path, NAMES[kind])
    names = NAMES[kind].split("\n")[0].split(",")
    assert list(resolve_file_format(path, ReadingSettings()).columns) == names


def test_an_empty_list_says_that_the_first_line_has_the_names(tmp_path):
    path = file(tmp_path, ROWS["numbers alone"])
    assert resolve_file_format(path, ReadingSettings(names=[])).columns == ("1.5", "0")


def test_too_few_names_are_refused_with_the_line(tmp_path):
    path = file(tmp_path, ROWS["fractions"])
    file_format = resolve_file_format(path, ReadingSettings(names=["a", "b"]))
    table = read_text_table(path, file_format)
    assert set(table.malformed.values()) == {"the row has 3 cells, and the header 2"}


@pytest.mark.parametrize(("names", "wrong"), [(["a", "a"], "'a' twice"), (["a", ""], "empty")])
def test_names_differ_and_are_some(names, wrong):
    with pytest.raises(ValueError, match=wrong):
        ReadingSettings(names=names)


@pytest.mark.parametrize("comments", ["# ", "## "])
def test_names_that_numpy_wrote_in_a_comment_stop_with_the_setting_that_reads_them(tmp_path, comments):
    path, later = tmp_path / "t.txt", tmp_path / "later.txt"
    rows = np.random.default_rng(0).normal(size=(30, 3))
    np.savetxt(path, rows, header="left right kind", comments=comments)
    with pytest.raises(
        UnreadableError, match=r"in a comment, .+: add problem\.reading\.names: \[left, right, kind\]$"
    ) as found:
        resolve_file_format(path, ReadingSettings())
    (setting,) = found.value.suggestions
    read = resolve_file_format(path, ReadingSettings(names=setting.value))
    np.savetxt(later, rows)
    for each in (path, later):  # with the line or without it
        table = read_text_table(each, read)
        assert list(table.cells) == ["left", "right", "kind"]
        np.testing.assert_array_equal(table.cells.to_numpy(np.float64), rows)


def test_a_first_name_with_a_comment_mark_is_noted_in_a_table_of_numbers_alone(tmp_path):
    numbers, names, own = (tmp_path / f"{name}.csv" for name in ("numbers", "names", "own"))
    np.savetxt(numbers, np.arange(30.0).reshape(10, 3), delimiter=",", header="a,b,c")
    names.write_text("# of rooms,city\n" + "3,Oslo\n" * 9)
    own.write_text("#,b\n" + "3,4\n" * 9)
    found = {path: resolve_file_format(path, ReadingSettings()) for path in (numbers, names, own)}
    assert found[numbers].notes == (
        "the first column is named '# a'; without the mark: problem.reading.names: [a, b, c]",
    )
    assert found[names].notes == found[own].notes == ()
    assert found[names].columns == ("# of rooms", "city")
    read = resolve_file_format(own, ReadingSettings(names=("#", "b")))
    assert len(read_text_table(own, read)) == 9


def test_single_quotes_that_enclose_cells_are_found_and_double_ones_go_before(tmp_path):
    path = tmp_path / "t.csv"
    rows = "".join(f"{k}.5, '{'red, dark' if k % 2 else 'blue'}', 'yes'\n" for k in range(20))
    path.write_text(f"# a tool's\n'height', 'colour', 'ok'\n{rows}")
    found = resolve_file_format(path, ReadingSettings(skip_lines=1))
    assert (found.quote, found.columns) == ("'", ("height", "colour", "ok"))
    assert any("single quotes" in note for note in found.notes)
    assert read_text_table(path, found).cells["colour"].tolist() == ["blue", "red, dark"] * 10
    path.write_text(f"height, colour, ok\n{rows}1.5, \"it's\", 'no'\n")
    assert resolve_file_format(path, ReadingSettings()).quote == '"'
    path.write_text("a,b\n" + "1,rock 'n' roll\n" * 20)
    assert resolve_file_format(path, ReadingSettings()).quote == '"'
