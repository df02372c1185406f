"""Two numbers in a cell are proposed as such, and names that look alike are not."""

import numpy as np
import pytest
from helpers.new_problems import N, kept_rows as rows

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
        ("what", [f"{k % 30}/{k % 20}" if k else "?" for k in COUNT]),
    ],
)
def test_classes_of_age_codes_dates_and_clocks_are_none(propose, name, cells):
    new = propose(rows(**{name: cells})).proposal
    assert "pair" not in (new.value("problem.reading.columns") or {}).values()


def test_a_target_of_scores_has_classes(propose):
    scores = [f"{a}-{b}" for a, b in rng.integers(0, 4, (N, 2))]
    new = propose(rows(score=scores).drop(columns="kept"), "score").proposal
    assert (new.value("problem.task"), new.value("problem.reading.columns")) == ("multiclass", None)
