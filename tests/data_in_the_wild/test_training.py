"""What training makes of files as people bring them: what it asks for, what it understands, what it leaves out."""

import pytest
from helpers import doors
from helpers.wild_files import CASES, base, text
from kedro.io import DatasetError

from layerwise.data import DataError, Problem
from layerwise.data.reading.cells import reading_of
from layerwise.inference.serving import handle_request


def problem_of(case, **reading):
    return Problem(name="wild", task=case.task, target=case.target, drop=case.drop, reading=reading)


@pytest.mark.parametrize("name", [name for name, maker in CASES.items() if maker().asked])
def test_a_file_that_can_be_read_in_two_ways_stops_with_what_to_add(tmp_path, name):
    case = CASES[name]()
    path = tmp_path / case.file
    path.write_bytes(case.data)
    with pytest.raises((DataError, DatasetError), match=case.asked):
        doors.train(path, tmp_path / "model", problem_of(case))


@pytest.mark.parametrize("name", CASES)
def test_cells_are_understood_and_rows_that_cannot_be_read_are_left_out(tmp_path, name):
    case = CASES[name]()
    path = tmp_path / case.file
    path.write_bytes(case.data)
    model, rows = doors.train(path, tmp_path / "model", problem_of(case, **case.reading))
    lines = doors.lines_of(model, path)
    assert len(rows) == len(lines) - len(case.bad_lines)
    for column, value in case.first.items():
        assert rows[column].iloc[0] == value
    columns = reading_of(rows).columns
    assert {column: columns[column].kind for column in case.kinds} == case.kinds


def test_a_column_that_is_there_twice_is_refused_at_every_door(tmp_path):
    path = tmp_path / "right.csv"
    path.write_bytes(text(base()))
    model, _ = doors.train(path, tmp_path / "model", Problem(name="wild", task="binary", target="bought"))
    twice = text(base().rename(columns={"colour": "score "}))
    (tmp_path / "twice.csv").write_bytes(twice)
    with pytest.raises(DatasetError, match="has the column 'score' twice"):
        doors.train(tmp_path / "twice.csv", tmp_path / "model", model.preprocessor.problem)
    for door in (doors.by_predict, doors.by_evaluate):
        with pytest.raises(DataError, match="has the column 'score' twice"):
            door(model, tmp_path / "twice.csv")
    said, status, _ = handle_request(model, twice, "text/csv")
    assert status == 400
    assert "has the column 'score' twice" in said


def test_a_file_that_is_cut_off_is_refused_by_name_at_every_door(tmp_path):
    case = CASES["containers"]()
    path, cut = tmp_path / case.file, tmp_path / "cut.csv.gz"
    path.write_bytes(case.data)
    cut.write_bytes(case.others["table.csv.gz"][:-40])
    model, _ = doors.train(path, tmp_path / "model", problem_of(case))
    with pytest.raises(DatasetError, match=r"cut\.csv\.gz is cut off"):
        doors.train(cut, tmp_path / "model", problem_of(case))
    for door in (doors.by_predict, doors.by_evaluate):
        with pytest.raises(DataError, match=r"cut\.csv\.gz is cut off"):
            door(model, cut)


@pytest.mark.parametrize("name", CASES["containers"]().others)
def test_a_table_trains_the_same_network_whatever_file_holds_it(tmp_path, name):
    case = CASES["containers"]()
    answers = []
    for file, data in ((case.file, case.data), (name, case.others[name])):
        (tmp_path / file).write_bytes(data)
        model, _ = doors.train(tmp_path / file, tmp_path / f"model_{file}", problem_of(case))
        answers.append(doors.by_predict(model, tmp_path / file))
    assert answers[0] == answers[1]
