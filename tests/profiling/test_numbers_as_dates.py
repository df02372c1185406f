"""Numbers that are dates in other programs: proposed where they can be nothing else, and said where they may be."""

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import doors
from helpers.new_problems import N, kept_rows as rows

from layerwise.data import Problem, ReadingSettings
from layerwise.data.reading import yaml_line
from layerwise.profiling.columns import is_named_as_date

rng = np.random.default_rng(3)
SERIAL = rng.integers(44927, 45291, N)
COMPACT = pd.to_datetime(SERIAL, unit="D", origin="1899-12-30").strftime("%Y%m%d").astype(int)


def said(new, name):
    return [each for each in new.proposal.findings if each.startswith(f"column '{name}'")]


@pytest.mark.parametrize(
    "name", ["date", "Order Date", "datum", "created_at", "day", "when", "orderDate", "paid on"]
)
def test_the_days_of_a_spreadsheet_are_proposed_as_dates(propose, name):
    cells = SERIAL.copy()
    cells[0] = 44927
    new = propose(rows(**{name: cells})).proposal
    assert new.value("problem.reading.dates") == {name: ["spreadsheet_days"]}
    (choice,) = [each for each in new.choices if each.key == "problem.reading.dates"]
    assert choice.reason == (
        f"column '{name}': 44927 is 2023-01-01, of the days of a spreadsheet, in a column of that name"
    )
    assert choice.other == yaml_line({name: "number"}).join(["columns: ", ""])


NANO = 1_000_000_000
WHEN = pd.Series(pd.to_datetime(SERIAL, unit="D", origin="1899-12-30"))
SECONDS = WHEN.dt.as_unit("s").astype("int64") + rng.integers(0, 86400, N)


@pytest.mark.parametrize(
    ("word", "cells", "first"),
    [
        ("spreadsheet_days", SERIAL, WHEN[0]),
        ("spreadsheet_days", [f"{day},5" for day in SERIAL], WHEN[0] + pd.Timedelta(hours=12)),
        ("spreadsheet_days", np.where(np.arange(N) == 5, np.nan, SERIAL + 0.25), WHEN[0] + pd.Timedelta(hours=6)),
        ("unix_seconds", SECONDS, pd.Timestamp(SECONDS[0], unit="s", tz="UTC")),
        ("unix_milliseconds", SECONDS * 1000 + 5, pd.Timestamp(SECONDS[0] * 1000 + 5, unit="ms", tz="UTC")),
        ("unix_microseconds", SECONDS * 1_000_000 + 7, pd.Timestamp(SECONDS[0] * 1_000_000 + 7, unit="us", tz="UTC")),
        ("unix_nanoseconds", SECONDS * NANO + 7000, pd.Timestamp(SECONDS[0] * NANO + 7000, tz="UTC")),
        ("unix_nanoseconds", SECONDS * NANO + 123_456_789, pd.Timestamp(SECONDS[0] * NANO + 123_457_000, tz="UTC")),
    ],
)  # fmt: skip
def test_numbers_that_count_dates_are_read_alike_at_every_door(propose, tmp_path, word, cells, first):
    new = propose(rows(timestamp=cells))
    assert new.proposal.value("problem.reading.dates") == {"timestamp": [word]}
    problem = Problem(**yaml.safe_load(new.parameters)["problem"])
    path = tmp_path / "t.csv"
    model, read = doors.train(path, tmp_path / "model", problem)
    assert read["timestamp"].iloc[0] == first
    answers = doors.by_predict(model, path)
    assert not any("error" in each for each in answers)
    assert len({str(each) for each in answers}) > N / 2
    assert doors.by_http_json(model, path) == doors.by_http_csv(model, path) == answers
    # Typed cells, as programs and spreadsheets hold them.
    typed = pd.read_csv(path)
    typed["timestamp"] = pd.to_numeric(typed["timestamp"].astype(str).str.replace(",", "."))
    for suffix, write in ((".parquet", typed.to_parquet), (".xlsx", typed.to_excel)):
        write(path.with_suffix(suffix), index=False)
        assert doors.by_predict(model, path.with_suffix(suffix)) == answers
    # What the model writes is what it reads.
    again = model.preprocessor.reading.as_written(read)
    again.to_csv(tmp_path / "again.csv", index=False)
    assert doors.by_predict(model, tmp_path / "again.csv") == answers


def test_a_count_of_dates_that_cannot_be_read_costs_its_row(propose, tmp_path):
    new = propose(rows(date=SERIAL))
    path = tmp_path / "t.csv"
    model, _ = doors.train(path, tmp_path / "model", Problem(**yaml.safe_load(new.parameters)["problem"]))
    lines = path.read_text().splitlines()
    for k, cell in ((1, "soon"), (2, "1e300"), (3, "99999999999")):
        lines[k] = ",".join([cell, *lines[k].split(",")[1:]])
    path.write_text("\n".join(lines))
    found = [answer.get("error", "") for answer in doors.by_predict(model, path)]
    assert [k for k, each in enumerate(found) if each] == [0, 1, 2]
    assert "date is a date, and holds 'soon'" in found[0]


def test_a_word_that_is_no_format_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError, match=r"'spreadsheet_day' of 'a' is no format.*did you mean 'spreadsheet_days'"
    ):
        ReadingSettings(dates={"a": ["spreadsheet_day"]})


def test_days_since_1970_and_times_under_other_names_are_said_with_the_line_to_add(propose):
    (sentence,) = said(propose(rows(date=SERIAL - 25569)), "date")
    assert "it may be the days since 1970 (" in sentence
    assert "add dates: {date: [unix_days]} to problem.reading" in sentence
    (sentence,) = said(propose(rows(x1=SECONDS)), "x1")
    assert "add dates: {x1: [unix_seconds]} to problem.reading" in sentence
    (sentence,) = said(propose(rows(x1=SECONDS * NANO + rng.permutation(N))), "x1")
    assert "it names the rows, another text in each; it may be times in nanoseconds since 1970 (" in sentence
    assert "add dates: {x1: [unix_nanoseconds]} to problem.reading" in sentence


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
    new = propose(rows(**{name: cells}))
    assert said(new, name) == []
    assert new.proposal.value("problem.reading.dates") is None


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
