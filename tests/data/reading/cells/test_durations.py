"""Durations and times of day, against `datetime.timedelta`."""

from datetime import time, timedelta

import numpy as np
import pandas as pd
import pytest

from layerwise.data import ReadingSettings
from layerwise.data.reading.cells import fit_reading
from layerwise.data.reading.cells.durations import duration_of, parts_of

LENGTHS = [timedelta(seconds=s) for s in (0, 59, 5400, 86399, 86400, 183600, -3600, -86400, 12.5, 1e6)]


def fitted(cells, **settings):
    return fit_reading(pd.DataFrame({"length": cells}), ReadingSettings(**settings)).columns["length"]


@pytest.mark.parametrize(
    "write", [str, lambda each: str(pd.Timedelta(each)), lambda e: pd.Timedelta(e).isoformat()]
)
def test_what_python_and_pandas_write_is_that_many_seconds(write):
    for each in LENGTHS:
        text = write(each)
        if text.startswith("P-"):  # pandas' own way to write a negative one, which ISO 8601 has not
            continue
        assert duration_of(text, 3) == each.total_seconds(), text


@pytest.mark.parametrize(
    ("text", "parts", "value"),
    [
        ("08:30", 2, 510),
        ("1 day 08:30", 2, 1950),
        ("125:07:01", 3, 450421),
        ("-01:30:00", 3, -5400),
        ("P1DT2H", 3, 93600),
        ("PT0.5S", 3, 0.5),
        ("08:30", 3, None),
        ("01:60:00", 3, None),
        ("01:30:60", 3, None),
        ("1:2", 2, None),
        ("P", 3, None),
        ("PT", 3, None),
        ("P1M", 3, None),
        ("16:9", 2, None),
        ("00:1B:44", 3, None),
        ("1:02:03:04", 3, None),
        ("2020-01-01 01:30:00", 3, None),
        ("12:00 AM", 2, 0),
        ("12:59 p.m.", 2, 779),
        ("7:06PM", 2, 1146),
        ("11:59:59 pm", 3, 86399),
        ("13:00 PM", 2, None),
        ("0:30 AM", 2, None),
        ("7:06 PM", 3, None),
        ("1h 05min", 3, 3900),
        ("2 hrs 5 mins 7 s", 3, 7507),
        ("1d2h", 3, 93600),
        ("-1 Std. 30 Min.", 3, -5400),
        ("45 minutes", 3, 2700),
        ("2 Tage, 3 Stunden", 3, 183600),
        ("1h 05min", 2, None),
        ("5 months", 3, None),
        ("5min 1h", 3, None),
        ("h", 3, None),
    ],
)
def test_a_duration_is_a_number_of_units_or_none(text, parts, value):
    assert duration_of(text, parts) == value


def test_durations_in_words_are_seconds_and_one_unit_alone_is_none():
    cells = [f"{k}h {k:02}min" if k else "45 min" for k in range(30)]
    column = fitted(cells)
    assert column.kind == "number"
    values = column.parse(pd.Series(cells, name="length"), {})
    np.testing.assert_array_equal(values, [3660 * k or 2700 for k in range(30)])
    assert parts_of(["5 m", "7 s", "3 h"]) is None
    assert fitted([f"{k} m" if k % 3 else f"{k} km" for k in range(30)]).kind == "category"


def test_clocks_with_and_without_seconds_do_not_go_together():
    assert parts_of(["59:12", "1:02:13"]) is None
    assert parts_of(["59:12", "x"]) == 2
    assert fitted(["59:12", "1:02:13"] * 9).kind == "category"


def test_a_column_of_durations_is_one_of_numbers_and_says_so():
    reading = fitted(["01:30:00", "2 days 03:00:00", None, "NA"] * 9)
    assert (reading.kind, reading.dtype) == ("number", "float64")
    assert reading.notes == (
        "read as numbers: '01:30:00' is 5400 seconds; columns: {length: category} keeps them as names",
    )
    kept = fitted(["01:30:00", "2 days 03:00:00"] * 9, columns={"length": "category"})
    assert kept.kind == "category"


def test_every_door_reads_a_duration_alike():
    reading, errors = fitted(["01:30:00", "02:00:00"] * 9), {}
    cells = [
        "01:30:00",
        pd.Timedelta(hours=1.5),
        time(1, 30),
        timedelta(hours=1.5),
        5400,
        "PT1H30M",
        "1 hour 30 min",
        "an hour",
    ]
    found = reading.parse(pd.Series(cells, dtype=object, name="length"), errors)
    np.testing.assert_array_equal(found, [5400.0] * 7 + [np.nan])
    assert errors == {7: "length is a number, and holds 'an hour'"}
    typed = pd.Series(pd.to_timedelta(["01:30:00", None]), name="length")
    np.testing.assert_array_equal(reading.parse(typed, errors), [5400.0, np.nan])
    assert len(errors) == 1


def test_a_column_of_typed_durations_is_one_of_numbers_too():
    reading = fitted(pd.to_timedelta(["01:30:00", "2 days", None] * 9))
    assert reading.kind == "number"
    typed = pd.Series(pd.to_timedelta(["2 days 00:00:00.5"]), name="length")
    assert reading.parse(typed, {}).tolist() == [172800.5]


def test_times_of_twelve_hours_are_minutes_since_midnight():
    cells = [f"{1 + k % 12}:{k % 60:02} {'AM' if k % 3 else 'PM'}" for k in range(100)]
    reading = fit_reading(pd.DataFrame({"start": cells}), ReadingSettings())
    assert reading.columns["start"].kind == "number"
    assert any("'1:00 PM' is 780 minutes since midnight" in note for note in reading.notes())
    values, errors = reading.parse(pd.DataFrame({"start": ["12:30 AM", "1:05 PM", "25:00 PM"]}))
    assert values["start"].tolist()[:2] == [30, 785]
    assert [bool(reason) for reason in errors.reasons] == [False, False, True]
