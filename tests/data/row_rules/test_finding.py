"""Rules that all training rows keep, and those that are stated."""

import logging

import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.row_rules import RowRules, RuleSettings, find_rules

KINDS = {"start": "number", "end": "number", "age": "number", "city": "category", "country": "category"}
COUNTRIES = {"Rome": "Italy", "Milan": "Italy", "Lyon": "France", "Paris": "France", "Bonn": "Germany"}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def stays(rng):
    n = 600
    start = rng.integers(0, 300, n)
    city = rng.choice(list(COUNTRIES), n)
    return pd.DataFrame(
        {
            "start": start,
            "end": start + rng.integers(0, 20, n),
            "age": rng.integers(500, 900, n),
            "city": city,
            "country": [COUNTRIES[each] for each in city],
            "paid": rng.choice(["yes", "no"], n),
        }
    )


def test_a_column_at_most_another_is_found_and_one_that_lies_below_anyway_is_not(stays, caplog):
    caplog.set_level(logging.INFO)
    found = find_rules(stays, KINDS, RuleSettings())
    assert found.at_most == (("start", "end"),)
    assert "start <= end" in caplog.text
    stays.loc[599, "end"] = stays.loc[599, "start"] - 1
    assert find_rules(stays, KINDS, RuleSettings()).at_most == ()


def test_dates_are_compared_and_not_with_numbers(stays):
    day = pd.Timestamp("2024-01-01")
    dates = pd.DataFrame({name: day + pd.to_timedelta(stays[name], "D") for name in ("start", "end")})
    dates["age"] = stays["age"]
    kinds = {"start": "date", "end": "date", "age": "number"}
    assert find_rules(dates, kinds, RuleSettings()).at_most == (("start", "end"),)


def test_empty_cells_break_no_order(stays):
    stays["end"] = stays["end"].astype(float)
    stays.loc[::3, "end"] = np.nan
    assert find_rules(stays, KINDS, RuleSettings()).at_most == (("start", "end"),)


def test_a_column_that_follows_from_another_is_found_with_the_values_that_meet(stays):
    (found,) = find_rules(stays, KINDS | {"paid": "category"}, RuleSettings()).combinations
    assert found.columns == ("city", "country")
    assert dict(found.rows) == COUNTRIES
    frequent = stays["city"].value_counts()
    assert list(dict(found.rows)) == list(frequent.index) or frequent.duplicated().any()


def test_values_that_never_meet_count_only_where_chance_does_not_explain_it(rng):
    one = np.repeat(["a", "b", "c"], 200)
    other = np.where(one == "a", "x", rng.choice(["x", "y"], 600))
    table = pd.DataFrame({"one": one, "other": other})
    kinds = dict.fromkeys(table, "category")
    (found,) = find_rules(table, kinds, RuleSettings()).combinations
    assert ("a", "y") not in found.rows
    assert len(found.rows) == 5
    # A rare value that has not met another yet says nothing.
    rare = pd.DataFrame({"one": ["a"] * 300 + ["b"] * 295 + ["z"] * 5, "other": ["x", "y"] * 297 + ["x"] * 6})
    assert find_rules(rare, kinds, RuleSettings()) == RowRules()


def test_independent_columns_have_no_rules(rng):
    table = pd.DataFrame(rng.normal(size=(500, 6)), columns=list("abcdef")).assign(
        g=rng.choice(["x", "y"], 500)
    )
    kinds = dict.fromkeys("abcdef", "number") | {"g": "category"}
    assert find_rules(table, kinds, RuleSettings()) == RowRules()


def test_nothing_is_looked_for_where_that_is_switched_off(stays):
    assert find_rules(stays, KINDS, RuleSettings(find=False)) == RowRules()


def test_stated_rules_hold_and_are_not_said_twice(stays):
    stays["key"] = np.arange(len(stays))
    stated = RuleSettings(at_most=[["start", "end"]], unique=["key"], combinations=[["city", "country"]])
    found = find_rules(stays, KINDS, stated)
    assert found.at_most == (("start", "end"),)
    assert found.unique == ("key",)
    assert [each.columns for each in found.combinations] == [("city", "country")]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"at_most": [["end", "start"]]}, r"of 600 training rows break 'end <= start', first row \d+"),
        ({"unique": ["city"]}, "training rows break 'no two rows of one city'"),
        ({"at_most": [["strat", "end"]]}, "column 'strat' is not in the table; did you mean 'start'"),
    ],
)
def test_a_stated_rule_that_does_not_hold_is_refused(stays, stated, message):
    with pytest.raises(DataError, match=message):
        find_rules(stays, KINDS, RuleSettings(**stated))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"combinations": [["city"]]}, "two columns or more"),
        ({"at_most": [["a", "b"], ["b", "c"], ["c", "a"]]}, "circle at 'a'"),
    ],
)
def test_rules_that_make_no_sense_are_refused(stated, message):
    with pytest.raises(ValueError, match=message):
        RuleSettings(**stated)
