"""Names in several rows, as pivot tables have them, are joined; what only looks like them is not."""

import openpyxl
import pytest

from layerwise.data import DataError, ReadingSettings
from layerwise.data.reading import UnreadableError, read_text_table, resolve_file_format
from layerwise.data.reading.files.header_rows import count_header_rows, first_header_row, join_names

YEARS = ["shop", "2023", "", "2024", "", "closed"]
MONTHS = ["", "Jan", "Feb", "Jan", "Feb", ""]
NAMES = ["shop", "2023 Jan", "2023 Feb", "2024 Jan", "2024 Feb", "closed"]
ROWS = [[f"F{k}", str(k), f"{k}.5", str(10 + k), f"{20 + k}.5", "yes" if k % 2 else "no"] for k in range(12)]


def csv_of(rows, separator=","):
    return ("\n".join(separator.join(row) for row in rows) + "\n").encode()


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([int(cell) if cell.isdigit() else cell or None for cell in row])
    book.save(path)
    return path


def written(folder, rows, kind):
    path = folder / f"table.{kind}"
    if kind == "xlsx":
        return workbook(path, rows)
    path.write_bytes(csv_of(rows, ";" if kind == "txt" else ","))
    return path


def table_of(path, **settings):
    found = resolve_file_format(path, ReadingSettings(**settings))
    return found, read_text_table(path, found)


def test_an_empty_cell_takes_the_one_to_its_left_and_a_cell_merged_downwards_stands_alone():
    assert join_names([YEARS, MONTHS]) == NAMES


def test_a_column_without_a_cell_of_its_own_has_no_name():
    assert join_names([["a", "b", "", ""], ["", "x", "y", ""]]) == ["a", "b x", "b y", ""]


def test_three_rows_are_joined():
    above = [["", "north", "", "", ""], ["", "2023", "", "2024", ""], ["shop", "a", "b", "a", "b"]]
    expected = ["shop", "north 2023 a", "north 2023 b", "north 2024 a", "north 2024 b"]
    assert join_names(above) == expected


@pytest.mark.parametrize("kind", ["csv", "txt", "xlsx"])
def test_names_in_two_rows_stop_the_run_with_the_setting_that_joins_them(tmp_path, kind):
    path = written(tmp_path, [YEARS, MONTHS, *ROWS], kind)
    with pytest.raises(UnreadableError, match=r"add problem.reading.header_rows: 2") as error:
        resolve_file_format(path, ReadingSettings())
    assert "2023 Feb" in str(error.value)
    found, table = table_of(path, header_rows=2)
    assert list(table.cells) == NAMES == list(found.columns)
    assert len(table) == len(ROWS)
    assert table.line_numbers[0] == 3


@pytest.mark.parametrize("kind", ["csv", "txt", "xlsx"])
def test_a_heading_above_them_is_skipped_first(tmp_path, kind):
    heading = ["Sales of the north branch", *[""] * 5]
    path = written(tmp_path, [heading, YEARS, MONTHS, *ROWS], kind)
    with pytest.raises(UnreadableError, match=r"add problem.reading.skip_lines: 1"):
        resolve_file_format(path, ReadingSettings())
    with pytest.raises(UnreadableError, match=r"header_rows: 2"):
        resolve_file_format(path, ReadingSettings(skip_lines=1))
    _, table = table_of(path, skip_lines=1, header_rows=2)
    assert list(table.cells) == NAMES
    assert table.line_numbers[0] == 4


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_few_names_above_many_are_no_heading(tmp_path, kind):
    top, names = ["", "2023", *[""] * 3, "2024", *[""] * 3], ["", *"abcd", *"abcd"]
    rows = [[f"F{k}", *(str(k + j) for j in range(8))] for k in range(12)]
    path = written(tmp_path, [top, ["shop", *names[1:]], *rows], kind)
    with pytest.raises(UnreadableError, match=r"header_rows: 2"):
        resolve_file_format(path, ReadingSettings())
    _, table = table_of(path, header_rows=2)
    assert list(table.cells)[:3] == ["shop", "2023 a", "2023 b"]


@pytest.mark.parametrize("kind", ["csv", "txt", "xlsx"])
def test_a_later_file_with_the_names_in_one_row_is_read_alike(tmp_path, kind):
    found, table = table_of(written(tmp_path, [YEARS, MONTHS, *ROWS], "csv"), header_rows=2)
    later = written(tmp_path / "..", [NAMES[:-1], *(row[:-1] for row in ROWS)], kind)
    same = read_text_table(later, found)
    assert list(same.cells) == NAMES[:-1]
    assert same.cells.astype(str).equals(table.cells[NAMES[:-1]].astype(str))


def test_a_later_file_with_a_heading_or_another_separator_is_read_alike(tmp_path):
    found, table = table_of(written(tmp_path, [YEARS, MONTHS, *ROWS], "csv"), header_rows=2)
    later = csv_of([["made on Monday", *[""] * 5], YEARS, MONTHS, *ROWS], ";")
    same = read_text_table(later, found)
    assert same.cells.equals(table.cells)


def test_a_question_with_several_answers_has_names_in_two_rows():
    top = ["id", "Which do you use?", "", "", "age"]
    answers = ["", "phone", "tablet", "phone, old", ""]
    rows = [
        [str(k), "phone" if k % 2 else "", "tablet" if k % 3 else "", "x" if k % 5 else "", "20"]
        for k in range(40)
    ]
    assert count_header_rows([top, answers, *rows]) == 2


def test_years_below_measures_are_names_and_years_among_the_rows_are_none():
    top, years = ["shop", "sales", "", "costs", ""], ["", "2022", "2023", "2022", "2023"]
    assert count_header_rows([top, years, *[[f"F{k}", "7", "8", "5", "6"] for k in range(9)]]) == 2
    rows = [[f"F{k}", "2022", "2023", "2021", "2020"] for k in range(9)]
    assert count_header_rows([top, years, *rows]) == 1


@pytest.mark.parametrize(
    "rows",
    [
        # A header that lacks some names, above rows.
        [["name", "age", "", ""], ["Anna", "34", "x", "Berlin"], *[["Max", "35", "y", "Rome"]] * 9],
        # A sentence of each column, as surveys have it below the codes.
        [["q1", "q2", "q3"], ["How old?", "Where?", "Why?"], *[["31", "Rome", "so"]] * 9],
        # A heading of two cells above names that need none.
        [["Account:", "DE12", "", ""], ["day", "name", "for", "amount"], *[["1", "a", "b", "7.5"]] * 9],
        # One cell above all.
        [["Report", "", ""], ["", "a", "a b"], *[["x", "1", "2"]] * 9],
        # The first row lacks a value.
        [["city", "", "mood"], ["", "rain", "good"], *[["Rome", "rain", "bad"], ["Oslo", "sun", "good"]] * 5],
        # Too few rows to tell.
        [YEARS, MONTHS, *ROWS[:2]],
    ],
)
def test_what_only_looks_like_names_in_two_rows_is_read_as_before(rows):
    assert count_header_rows(rows) == 1
    assert first_header_row(rows, 1, None) == 1


def test_one_row_of_names_can_be_insisted_on(tmp_path):
    found, table = table_of(written(tmp_path, [YEARS, MONTHS, *ROWS], "csv"), header_rows=1, skip_lines=0)
    assert found.header_rows == 1
    assert len(table) == len(ROWS) + 1


def test_names_in_several_rows_need_a_file_with_rows_of_names(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1, "b": 2}\n')
    with pytest.raises(DataError, match=r"header_rows is of texts and workbooks"):
        resolve_file_format(path, ReadingSettings(header_rows=2))
    with pytest.raises(ValueError, match=r"header_rows of one with several"):
        ReadingSettings(header_rows=2, names=["a"])


@pytest.mark.parametrize("kind", ["csv", "txt", "xlsx"])
def test_headings_above_a_complete_row_of_names_are_lines_before_the_header(tmp_path, kind):
    headings, names = ["who", "", "order", "", "", "result"], ["age", "shop", "sum", "n", "price", "closed"]
    rows = [[row[1], f"s{int(row[1]) % 3}", *row[2:]] for row in ROWS]
    path = written(tmp_path, [headings, names, *rows], kind)
    with pytest.raises(UnreadableError, match=r"add problem.reading.skip_lines: 1"):
        resolve_file_format(path, ReadingSettings())
    found, table = table_of(path, skip_lines=1)
    assert found.columns == tuple(names)
    assert len(table.cells) == len(rows)


def test_a_row_of_values_below_names_with_gaps_is_no_row_of_names(tmp_path):
    path = written(tmp_path, [["who", "", "n", "", "", "closed"], *ROWS], "csv")
    assert table_of(path)[0].skip_lines == 0
