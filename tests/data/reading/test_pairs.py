"""Two numbers in a cell: two inputs of one raw column, at every door."""

import numpy as np
import pandas as pd
import pytest
from helpers import doors
from helpers.new_problems import N, kept_rows

from layerwise.data import DataError, Problem, ReadingSettings
from layerwise.data.reading import validate_rows
from layerwise.data.reading.cells import fit_reading
from layerwise.data.reading.pairs import find_pairs, pair_of, pair_text

rng = np.random.default_rng(4)
HIGH, LOW = rng.integers(100, 180, N), rng.integers(50, 99, N)


def clinic(**columns):
    return kept_rows(bp=[f"{a}/{b}" for a, b in zip(HIGH, LOW, strict=True)], **columns)


def problem(**given):
    return Problem(name="clinic", task="binary", target="kept", reading={"columns": {"bp": "pair"}, **given})


def trained(tmp_path, table):
    table.to_csv(path := tmp_path / "t.csv", index=False)
    return doors.train(path, tmp_path / "model", problem())[0], path


@pytest.mark.parametrize(
    ("text", "mark", "numbers"),
    [
        ("120/80", "/", (120, 80)),
        (" 120 / 80 ", "/", (120, 80)),
        ("1920X1080", "x", (1920, 1080)),
        ("2.5×0.5", "×", (2.5, 0.5)),
        ("3-2", "-", (3, 2)),
        ("3-2", "/", None),
        ("3", "-", None),
        ("1-2-3", "-", None),
        ("-3-2", "-", None),
        ("1e3/2", "/", None),
        ("٣/٤", "/", None),
    ],
)
def test_a_text_is_two_numbers_with_one_mark_between_them(text, mark, numbers):
    assert pair_of(text, mark) == numbers
    if numbers:
        assert pair_of(pair_text(*numbers, mark), mark) == numbers


def test_all_texts_are_pairs_with_one_mark_and_are_neither_few_nor_codes():
    texts = [f"{k}/{k + 1}" for k in range(10)]
    assert find_pairs(texts) == ("/", [])
    assert find_pairs([*texts, "unknown"]) == ("/", ["unknown"])
    assert find_pairs([*texts, "0.5/12"]) == ("/", [])
    for others in (texts[:9], [*texts, "many"], [*texts, "3-2"], [*texts, "007/12"]):
        assert find_pairs(others) == ("", [])


def test_the_two_numbers_are_inputs_of_one_raw_column(tmp_path):
    table = clinic(bp_first=rng.normal(size=N).round(2))
    model, _ = trained(tmp_path, table)
    fitted = model.preprocessor
    blocks = {block.name: block for block in fitted.data_spec.blocks}
    parts = [block for block in blocks.values() if block.raw == "bp"]
    # Another column has the usual name of the first.
    assert [block.name for block in parts] == ["bp=first", "bp_second"]
    rows = fitted.inputs(table)
    for block, numbers in zip(parts, (HIGH, LOW), strict=True):
        column = rows[:, block.start]
        assert np.corrcoef(column, numbers)[0, 1] > 0.9
    assert fitted.restore_inputs(rows)["bp"].tolist() == table["bp"].tolist()


def test_a_cell_that_does_not_fit_costs_its_row_alone_at_every_door(tmp_path):
    table = clinic()
    model, path = trained(tmp_path, table)
    before = doors.by_predict(model, path)
    table.loc[3, "bp"], table.loc[5, "bp"], table.loc[7, "bp"] = "135", "120-80", "120 / 80.0"
    table.to_csv(path, index=False)
    answers = doors.by_predict(model, path)
    said = "bp is two numbers with / between them, and holds"
    assert [answers[k].get("error") for k in (3, 5)] == [f"{said} '135'", f"{said} '120-80'"]
    others = [k for k in range(N) if k not in (3, 5, 7)]
    assert [answers[k] for k in others] == [before[k] for k in others]
    table.loc[7, "bp"] = "120/80"
    table.to_csv(path, index=False)
    assert doors.by_predict(model, path)[7] == answers[7]
    assert doors.by_http_csv(model, path) == answers
    assert doors.by_http_json(model, path) == answers
    model, _ = trained(tmp_path, table)
    assert model.preprocessor.data_spec.n_training < N


def test_a_number_far_outside_of_those_of_training_is_refused(tmp_path):
    model, _ = trained(tmp_path, clinic())
    rows = clinic().head(2).assign(bp=["120/80", "120/80000"])
    reasons = validate_rows(rows, model.preprocessor)
    assert reasons[0] == ""
    assert reasons[1].startswith("the second number of bp is 80000, far outside of")


def test_both_numbers_stand_in_the_summary_by_which_drift_is_found(tmp_path):
    model, _ = trained(tmp_path, clinic())
    columns = model.preprocessor.state["summary"]["columns"]
    assert HIGH.min() <= columns["bp_first"]["points"][0] < columns["bp_first"]["points"][-1] <= HIGH.max()
    assert "bp" not in columns


def test_a_column_that_is_stated_to_be_pairs_and_holds_none_is_refused():
    with pytest.raises(DataError, match=r"stated to be a pair, two numbers in a cell, and holds '1', '2'"):
        fit_reading(pd.DataFrame({"bp": ["1", "2"]}), ReadingSettings(columns={"bp": "pair"}))


def test_without_the_setting_the_run_says_what_to_add():
    (note,) = fit_reading(clinic()).columns["bp"].notes
    assert "columns: {bp: pair}" in note
