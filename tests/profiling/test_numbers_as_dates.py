"""Numbers that are dates in other programs: said, or proposed where they can be nothing else."""

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import doors
from helpers.new_problems import N, kept_rows as rows

from layerwise.data import Problem
from layerwise.profiling.columns import is_named_as_date

rng = np.random.default_rng(3)
SERIAL = rng.integers(44927, 45291, N)
COMPACT = pd.to_datetime(SERIAL, unit="D", origin="1899-12-30").strftime("%Y%m%d").astype(int)


def said(new, name):
    return [each for each in new.proposal.findings if each.startswith(f"column '{name}'")]


@pytest.mark.parametrize(
    "name", ["date", "Order Date", "datum", "created_at", "day", "when", "orderDate", "paid on"]
)
def test_the_days_of_a_spreadsheet_are_said_with_the_line_that_makes_dates(propose, name):
    cells = SERIAL.copy()
    cells[0] = 45123
    (sentence,) = said(propose(rows(**{name: cells})), name)
    assert "it may be the days of a spreadsheet (45123 is 2023-07-16)" in sentence
    line = f"pandas.to_datetime(table[{name!r}], unit='D', origin='1899-12-30')"
    assert line in sentence
    assert str(eval(line, {"pandas": pd, "table": {name: pd.Series([45123])}})[0].date()) == "2023-07-16"


def test_times_of_day_behind_a_point_and_days_since_1970_are_said_too(propose):
    (sentence,) = said(propose(rows(date=SERIAL + rng.uniform(size=N).round(3))), "date")
    assert "days of a spreadsheet" in sentence
    (sentence,) = said(propose(rows(date=SERIAL - 25569)), "date")
    assert "days since 1970 (" in sentence


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("price", SERIAL),
        ("day", rng.integers(1, 32, N)),
        ("date", rng.integers(44927, 44930, N)),
        ("what", SERIAL),
    ],
)
def test_other_names_and_other_numbers_are_no_dates(propose, name, cells):
    assert said(propose(rows(**{name: cells})), name) == []


@pytest.mark.parametrize("name", ["data", "holiday", "format", "season", "Friday", "ration"])
def test_words_that_only_sound_like_a_date_are_none(name):
    assert not is_named_as_date(name)


def test_dates_without_marks_are_proposed_as_dates_and_answered_for(propose, tmp_path):
    table = rows(date=COMPACT)
    new = propose(table)
    assert new.proposal.value("problem.reading.dates") == {"date": ["%Y%m%d"]}
    problem = Problem(**yaml.safe_load(new.parameters)["problem"])
    model, read = doors.train(tmp_path / "t.csv", tmp_path / "model", problem)
    assert str(read["date"].iloc[0].date()).replace("-", "") == str(COMPACT[0])
    answers = doors.by_predict(model, tmp_path / "t.csv")
    assert doors.by_http_json(model, tmp_path / "t.csv") == answers
    assert doors.by_http_csv(model, tmp_path / "t.csv") == answers
    assert not any("error" in each for each in answers)


@pytest.mark.parametrize("cells", [COMPACT + 80, np.where(np.arange(N) < 1, 20240230, COMPACT)])
def test_numbers_that_are_no_dates_stay_numbers(propose, cells):
    assert propose(rows(date=cells)).proposal.value("problem.reading.dates") is None
    assert propose(rows(size=COMPACT)).proposal.value("problem.reading.dates") is None
