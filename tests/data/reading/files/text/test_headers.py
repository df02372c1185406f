"""What separates cells and where the header is."""

import pytest

from layerwise.data import DataError
from layerwise.data.reading import FileFormat
from layerwise.data.reading.files.text.headers import Layout, find_layout, make_header, recognize_layout


def layout(text, separator=None, skip_lines=None, quote='"'):
    return find_layout(text.encode(), "utf-8", quote, separator, skip_lines)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_separator_is_found(separator):
    text = "a,b,c\n1,2,x\n3,4,y\n".replace(",", separator)
    assert layout(text)[0] == Layout(separator, 0)


def test_a_decimal_comma_is_no_separator():
    text = "länge;wert;gut\n" + "45,51;-0,215;no\n" * 50
    found, notes = layout(text)
    assert found == Layout(";", 0)
    assert notes == ["cells are separated by ';': 3 in 100% of the rows"]
    # Below a heading too.
    with pytest.raises(DataError, match=r"add problem\.reading\.skip_lines: 2"):
        layout("Bericht\n\n" + text)
    assert layout("Bericht\n\n" + text, skip_lines=2)[0] == Layout(";", 2)


def test_separators_within_text_do_not_mislead():
    text = "title,kind\n" + "A;B|C,x|y\nD;E,z\n" * 30
    assert layout(text)[0].separator == ","


def test_two_separators_that_cut_equally_well_stop_with_the_setting_to_add():
    text = "a,b;c\n" + "1,2;3\n" * 20
    with pytest.raises(
        DataError, match=r"may be separated by ',' or ';' \(2 and 2 columns\): add problem.reading.sep"
    ):
        layout(text)
    assert layout(text, separator=";")[0].separator == ";"


def test_blanks_separate_where_nothing_else_does():
    assert layout("a b c\n1 2 3\n4  5 6\n")[0].separator == " "
    assert layout("text\nsome words\nand more words\none\n")[0].separator == ","


def test_lines_before_the_header_stop_with_the_setting_to_add():
    text = "Report of the north branch\nmade 2023-01-05\n\nage,score,bought\n" + "1,2,no\n" * 20
    with pytest.raises(
        DataError, match=r"3 line\(s\) before its header.*'Report of the north branch': add .*lines: 3"
    ):
        layout(text)
    assert layout(text, skip_lines=3)[0] == Layout(",", 3)
    assert layout(text, skip_lines=0)[0] == Layout(",", 0)


def test_lines_before_the_header_that_are_filled_up_with_separators_stop_as_well():
    text = "Report;;;\n;;;\nid;age;score;bought\n" + "1;2;3;no\n" * 20
    with pytest.raises(DataError, match=r"2 line\(s\) before its header.*'Report;;;': add .*lines: 2"):
        layout(text)
    assert layout(text, skip_lines=2)[0] == Layout(";", 2)


def test_a_header_above_rows_with_few_filled_cells_is_no_heading():
    text = "id;age;score;bought\n" + "1;;;\n" * 20 + "1;2;3;no\n"
    assert layout(text)[0] == Layout(";", 0)
    assert layout("id;;\n" + "1;2;3\n" * 2, skip_lines=0)[0] == Layout(";", 0)


def test_rows_longer_than_the_header_are_no_heading():
    text = "age,score,bought\n" + "1,2,no,note\n" * 20 + "1,2,no\n"
    assert layout(text)[0] == Layout(",", 0)


def test_names_are_trimmed_and_columns_without_a_name_are_left_out():
    header = make_header(["", " age ", "Unnamed: 2", "score"], "t.csv")
    assert header.kept_names == ["age", "score"]
    assert header.unnamed == [0, 2]


def test_a_name_that_stands_twice_is_refused_also_behind_blanks():
    with pytest.raises(DataError, match=r"t\.csv has the column 'score' twice"):
        make_header(["score", "age", "score "], "t.csv")
    with pytest.raises(DataError, match="no column has a name"):
        make_header(["", " "], "t.csv")


FORMAT = FileFormat(separator=";", skip_lines=2, columns=("age", "score", "bought"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\ny\nage;score;bought\n", Layout(";", 2)),
        ("age;score;bought\n", Layout(";", 0)),
        ("age,score,bought\n1,2,3\n", Layout(",", 0)),
        ("one\ntwo\nthree\nfour\nscore;age\n1;2\n", Layout(";", 4)),
        ("x\ny\nother;names\n", Layout(";", 2)),
        ("age\tscore\n", Layout("\t", 0)),
    ],
)
def test_the_header_of_a_later_file_is_recognized_by_the_known_names(text, expected):
    assert recognize_layout(text.encode(), "utf-8", FORMAT) == expected


@pytest.mark.parametrize("separator", [",", ";"])
def test_lines_that_stand_in_quotes_as_a_whole_are_refused_with_what_takes_them_away(separator):
    text = '"a,b,c"\n' + '"1,""x y"",3"\n' * 20
    with pytest.raises(DataError, match=r"stands in quotes as a whole, .*csv\.reader"):
        layout(text.replace(",", separator))


def test_a_single_column_of_quoted_texts_is_one_column():
    text = '"text"\n"well, well"\n"no, never, ever"\n"yes"\n"a, b, c, d"\n' * 5
    assert layout(text)[0] == Layout(",", 0)
