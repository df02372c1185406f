"""Two numbers in a cell are proposed as such, and names that look alike are not."""

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import doors
from helpers.new_problems import N, kept_rows as rows

from layerwise.data import Problem
from layerwise.data.preprocessing.columns import pair_numbers

rng = np.random.default_rng(7)
COUNT = np.arange(N)


def marked(mark):
    # Two digits behind a colon are minutes.
    return [f"{a}{mark}{b}" for a, b in rng.integers(0, 9 if mark == ":" else 40, (N, 2))]


@pytest.mark.parametrize("mark", ["/", "-", "x", " x ", "×", ":"])
def test_two_numbers_in_each_cell_are_proposed_as_two_inputs(propose, mark):
    cells = marked(mark)
    cells[5] = "NA"
    new = propose(rows(score=cells)).proposal
    assert new.value("problem.reading.columns") == {"score": "pair"}
    assert new.value("problem.drop") is None
    (choice,) = [each for each in new.choices if each.key == "problem.reading.columns"]
    assert (choice.other, choice.reason) == (
        "{score: category}",
        f"column 'score': each of its cells holds two numbers ({cells[0]}), which are two inputs",
    )


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("ages", rng.choice(["18-25", "26-40", "41-65", "66-99"], N)),
        ("phone", [f"555-{1000 + k}" for k in COUNT]),
        ("order id", [f"{k % 30}/{k}" for k in COUNT]),
        ("code", [f"0{k % 9}-{k % 30}" for k in COUNT]),
        ("day", [f"2024-{1 + k % 12}-{1 + k % 28}" for k in COUNT]),
        ("month", [f"2024/{1 + k % 12}" for k in COUNT]),
        ("clock", [f"{k % 24}:{k % 60:02d}" for k in COUNT]),
        ("what", [f"{k % 30}/{k % 20}" if k else "later" for k in COUNT]),
        ("size", [f"1,{200 + k % 30} x 1,080" for k in COUNT]),
    ],
)
def test_classes_of_age_codes_dates_and_clocks_are_none(propose, name, cells):
    new = propose(rows(**{name: cells})).proposal
    assert "pair" not in (new.value("problem.reading.columns") or {}).values()


def test_a_target_of_scores_has_classes(propose):
    scores = [f"{a}-{b}" for a, b in rng.integers(0, 4, (N, 2))]
    new = propose(rows(score=scores).drop(columns="kept"), "score").proposal
    assert (new.value("problem.task"), new.value("problem.reading.columns")) == ("multiclass", None)


@pytest.mark.parametrize("word", ["?", "-", "unknown"])
def test_cells_beside_pairs_that_mean_no_value_are_proposed_as_missing(propose, tmp_path, word):
    cells = marked("/")
    cells[5] = cells[17] = word
    new = propose(rows(score=cells))
    assert new.proposal.value("problem.reading.columns") == {"score": "pair"}
    assert new.proposal.value("problem.reading.missing") == [word, "NA", "N/A"]
    model, read = doors.train(
        tmp_path / "t.csv", tmp_path / "model", Problem(**yaml.safe_load(new.parameters)["problem"])
    )
    assert np.flatnonzero(read["score"].isna()).tolist() == [5, 17]
    answers = doors.by_predict(model, tmp_path / "t.csv")
    assert (
        doors.by_http_json(model, tmp_path / "t.csv")
        == doors.by_http_csv(model, tmp_path / "t.csv")
        == answers
    )
    assert not any("error" in each for each in answers)


def test_two_numbers_with_decimal_commas_are_the_same_two_numbers(propose, tmp_path):
    plain = [f"{a / 10}/{b / 100}" for a, b in rng.integers(10, 400, (N, 2))]
    answers = []
    for cells in (plain, [each.replace(".", ",") for each in plain]):
        new = propose(rows(score=cells))
        assert new.proposal.value("problem.reading.columns") == {"score": "pair"}
        problem = Problem(**yaml.safe_load(new.parameters)["problem"])
        model, read = doors.train(tmp_path / "t.csv", tmp_path / "model", problem)
        first, second = plain[0].split("/")
        assert read["score"].iloc[0] == f"{float(first):g}/{float(second):g}"
        answers.append(doors.by_predict(model, tmp_path / "t.csv"))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "form", ["{0:.5f}, {1:.5f}", "{0:.5f},{1:.5f}", "({0}, {1})", "{0:.4f}; {1:.4f}", "POINT ({0} {1})"]
)
def test_coordinates_are_two_inputs_though_each_place_is_another(propose, tmp_path, form):
    places = rng.uniform([51, -1], [52, 1], (N, 2)).round(6)
    new = propose(rows(place=[form.format(*each) for each in places]))
    assert new.proposal.value("problem.reading.columns") == {"place": "pair"}
    assert new.proposal.value("problem.drop") is None
    path = tmp_path / "t.csv"
    model, _ = doors.train(path, tmp_path / "model", Problem(**yaml.safe_load(new.parameters)["problem"]))
    fitted = model.preprocessor
    assert fitted.state["summary"]["columns"]["place_second"]["points"][0] < -0.9
    restored = fitted.restore_inputs(fitted.inputs(pd.read_csv(path)))["place"]
    np.testing.assert_allclose(pair_numbers(restored), places, atol=1e-3)
    answers = doors.by_predict(model, path)
    assert not any("error" in each for each in answers)
    assert doors.by_http_json(model, path) == doors.by_http_csv(model, path) == answers


@pytest.mark.parametrize("form", ["{0},{1}", "{0}-{1}", "{0} {1}", "Smith, {0}"])
def test_texts_with_numbers_that_differ_in_each_row_are_no_coordinates(propose, form):
    cells = [form.format(*each) for each in rng.integers(100, 999, (N, 2))]
    new = propose(rows(place=cells)).proposal
    assert "pair" not in (new.value("problem.reading.columns") or {}).values()
