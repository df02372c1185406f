from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from helpers.fitted_tables import DATES, N, column, fit, table
from scipy.stats import norm

from layerwise.data import DataError, raw_columns
from layerwise.data.reading import validate_rows


def test_the_scaler_sees_training_rows_only():
    frame = table()
    wild = frame.copy()
    wild.loc[100:, "balance"] = 1e6
    plain, other = fit(frame).inputs(frame), fit(wild).inputs(wild)
    np.testing.assert_array_equal(plain[:100], other[:100])
    assert plain.dtype == np.float32
    balance = column(fit(frame), frame, "balance")[:100]
    assert abs(balance.mean()) < 1e-6
    assert balance.std() == pytest.approx(1, abs=1e-6)


def test_min_max_scaling_spans_the_training_rows():
    frame = table()
    balance = column(fit(frame, {"scaling": "minmax"}), frame, "balance")[:100]
    assert (balance.min(), balance.max()) == (0, 1)


def test_quantile_scaling_makes_a_long_tail_normal_and_keeps_the_order():
    amount = np.random.default_rng(1).lognormal(0, 3, N)
    frame = table(amount=amount)
    found = column(fit(frame, {"scaling": "quantile"}), frame, "amount")
    assert np.array_equal(np.argsort(found[:100]), np.argsort(amount[:100]))
    # Of 100 training rows the k-th has the quantile k / 99.
    inner = np.sort(found[:100])[1:-1]
    np.testing.assert_allclose(inner, norm.ppf(np.arange(1, 99) / 99), atol=1e-4)
    # What lies beyond them has their largest value, not one of its own size.
    beyond = column(fit(frame, {"scaling": "quantile"}), frame.assign(amount=1e12), "amount")
    assert np.ptp(beyond) == 0
    assert beyond[0] == found[:100].max()
    fitted = fit(frame, {"scaling": "quantile"})
    restored = fitted.restore_inputs(fitted.inputs(frame))["amount"]
    np.testing.assert_allclose(restored[:100], amount[:100], rtol=1e-3)


def test_no_scaling_leaves_numbers_as_they_are():
    frame = table()
    np.testing.assert_allclose(column(fit(frame, {"scaling": "none"}), frame, "age"), frame["age"])


@pytest.mark.parametrize(("drop_first", "width"), [(True, 2), (False, 3)])
def test_categories_become_dummies_with_or_without_the_first(drop_first, width):
    frame = table()
    fitted = fit(frame, {"drop_first": drop_first})
    block = next(b for b in fitted.data_spec.blocks if b.name == "country")
    assert (block.kind, block.stop - block.start) == ("categorical", width)
    assert block.categories == ("France", "Germany", "Spain")
    dummies = fitted.inputs(frame)[:, block.start : block.stop]
    np.testing.assert_array_equal(dummies[:, -1] == 1, frame["country"] == "Spain")


def test_blocks_cover_the_inputs_in_order():
    data_spec = fit(table()).data_spec
    edges = [(block.start, block.stop) for block in data_spec.blocks]
    assert edges[0][0] == 0
    assert edges[-1][1] == data_spec.n_inputs == len(data_spec.feature_names)
    assert all(left[1] == right[0] for left, right in pairwise(edges))


def test_booleans_are_not_scaled():
    frame = table(card=np.arange(N) % 2)
    fitted = fit(frame)
    assert {b.name: b.kind for b in fitted.data_spec.blocks}["card"] == "binary"
    np.testing.assert_array_equal(column(fitted, frame, "card"), frame["card"])
    np.testing.assert_array_equal(column(fitted, frame, "member"), frame["member"])


def test_a_boolean_that_takes_another_value_later_is_clipped_with_a_warning():
    frame = table(card=np.arange(N) % 2)
    fitted = fit(frame)
    frame.loc[110, "card"] = 3
    with pytest.warns(UserWarning, match="'card' held only 0 and 1"):
        assert column(fitted, frame, "card").max() == 1


def test_a_column_is_boolean_only_if_all_rows_of_the_file_are_0_or_1():
    frame = table(dots=np.arange(N) % 2)
    frame.loc[110, "dots"] = 3
    fitted = fit(frame)
    assert {b.name: b.kind for b in fitted.data_spec.blocks}["dots"] == "real"
    assert (validate_rows(frame, fitted) == "").all()


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(np.arange(N) % 7).astype("Int64"),
        pd.Series(np.arange(N) % 7).astype(float),
        pd.Series(np.arange(N) % 2 == 0).astype("boolean"),
        pd.Series(np.arange(N) % 2 == 0).astype(object),
        pd.Series(np.array(list("abc"))[np.arange(N) % 3]),
        pd.Series(np.array(list("abc"))[np.arange(N) % 3]).astype("category"),
        pd.Series(pd.date_range("2024-01-01", periods=N)),
    ],
    ids=lambda values: str(values.dtype),
)
def test_missing_values_are_imputed_and_indicated_whatever_the_type(values):
    values = values.copy()
    values[[3, 50]] = None
    frame = table(extra=values)
    fitted = fit(frame)
    inputs = fitted.inputs(frame)
    assert np.isfinite(inputs).all()
    np.testing.assert_array_equal(np.flatnonzero(column(fitted, frame, "extra_missing")), [3, 50])


def test_a_missing_number_takes_the_median_of_the_training_rows():
    values = np.arange(N, dtype=float)
    values[10], values[110:] = np.nan, 1e9
    frame = table(extra=values)
    expected = np.median(np.delete(values[:100], 10))
    assert column(fit(frame, {"scaling": "none"}), frame, "extra")[10] == expected


def test_what_is_missing_only_later_is_imputed_with_a_warning():
    frame = table()
    frame.loc[115, "balance"] = np.nan
    fitted = fit(frame)
    with pytest.warns(UserWarning, match=r"'balance': 1 row\(s\) are empty"):
        assert np.isfinite(fitted.inputs(frame)).all()
    assert "balance_missing" not in fitted.data_spec.feature_names


@pytest.mark.parametrize("row", [5, 115])
def test_missing_values_can_be_refused(row):
    frame = table()
    frame.loc[row, "balance"] = np.nan
    with pytest.raises(DataError, match=rf"'balance' is empty in 1 row\(s\), first in row {row}"):
        fit(frame, {"missing": "refuse"}).inputs(frame)


def test_a_category_never_seen_in_training_is_all_zeros_with_a_warning():
    frame = table()
    frame.loc[[105, 106], "country"] = "Italy"
    fitted = fit(frame, {"drop_first": False})
    with pytest.warns(UserWarning, match=r"'country': 2 row\(s\).*'Italy'"):
        inputs = fitted.inputs(frame)
    block = next(b for b in fitted.data_spec.blocks if b.name == "country")
    assert inputs[[105, 106], block.start : block.stop].sum() == 0


def test_constant_columns_are_left_out_and_not_asked_for():
    with pytest.warns(UserWarning, match="constant among the training rows, left out: bank"):
        fitted = fit(table(bank="first"))
    assert fitted.inputs(table()).shape == (N, fitted.data_spec.n_inputs)


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        (DATES, {}),
        (DATES.tz_localize("UTC"), {}),
        (DATES.strftime("%Y-%m-%d"), {}),
        (DATES.strftime("%d %B %Y"), {"date_columns": ("when",)}),
        (DATES.strftime("%Y%m%d").astype(int), {"date_columns": ("when",)}),
    ],
)
def test_dates_become_a_day_count_and_circles_of_month_and_weekday(values, settings):
    frame = table(when=values)
    fitted = fit(frame, {"scaling": "none", **settings})
    days = column(fitted, frame, "when_days")
    np.testing.assert_array_equal(np.diff(days), 1)
    # 29 January 2024 was a Monday: weekday angle 0, and the same again a week later.
    np.testing.assert_allclose(column(fitted, frame, "when_weekday_sin")[[0, 7]], 0, atol=1e-7)
    np.testing.assert_allclose(column(fitted, frame, "when_month_cos")[0], 1)
    # 1 April: a quarter of the year.
    np.testing.assert_allclose(column(fitted, frame, "when_month_sin")[63], 1)


def test_the_years_1_and_9999_are_dates_and_come_back():
    values = pd.Series(DATES.strftime("%d.%m.%Y"))
    values[[5, 110]] = ["01.01.0001", "31.12.9999"]
    frame = table(when=values)
    fitted = fit(frame, {"scaling": "none"})
    days = column(fitted, frame, "when_days")
    np.testing.assert_array_equal(days[[5, 110]], [-719162, 2932896])
    restored = fitted.restore_inputs(fitted.inputs(frame))["when"]
    assert restored[[5, 110]].tolist() == ["0001-01-01", "9999-12-31"]


def test_what_is_no_date_is_named():
    values = pd.Series(DATES.strftime("%Y-%m-%d"))
    values[110] = "soon"
    frame = table(when=values)
    with pytest.raises(DataError, match="row 110: when is a date, and holds 'soon'"):
        fit(frame).inputs(frame)


@pytest.mark.parametrize("row", [7, 110])
def test_text_in_a_numeric_column_is_named_with_its_row(row):
    frame = table()
    frame["balance"] = frame["balance"].astype(object)
    frame.loc[row, "balance"] = "much"
    with pytest.raises(DataError, match=rf"row {row}: balance is a number, and holds 'much'"):
        fit(frame).inputs(frame)


@pytest.mark.parametrize("row", [7, 110])
def test_an_infinite_value_is_named_with_its_row(row):
    frame = table()
    frame.loc[row, "balance"] = np.inf
    with pytest.raises(DataError, match=f"row {row}: balance is infinite"):
        fit(frame).inputs(frame)


@pytest.mark.parametrize(
    ("problem", "settings", "message"),
    [
        ({"drop": ("contry",)}, {}, "'contry' is not in the table; did you mean 'country'"),
        ({"target": "lef"}, {}, "'lef' is not in the table; did you mean 'left'"),
        ({}, {"date_columns": ("aeg",)}, "'aeg' is not in the table; did you mean 'age'"),
        ({"positive": 2}, {}, "problem.positive '2' is no class"),
        ({"target": "country"}, {}, "has 3 classes; a binary task needs 2"),
        ({"target": ("left", "age"), "task": "multilabel"}, {}, "'age' holds something beside 0 and 1"),
        ({"target": "country", "task": "regression"}, {}, "'country' is numeric, but row 0 holds"),
        ({"drop": ("age", "balance", "country", "member")}, {}, "no input column is left"),
    ],
)
def test_what_the_table_does_not_have_is_named(problem, settings, message):
    with pytest.raises(DataError, match=message):
        fit(table(), settings, **problem)


def test_a_column_missing_later_is_named():
    with pytest.raises(DataError, match="input column 'balance' is not in the table; did you mean 'balanc'"):
        fit(table()).inputs(table().rename(columns={"balance": "balanc"}))


def test_extra_and_reordered_columns_change_nothing():
    frame = table()
    fitted = fit(frame)
    other = frame[frame.columns[::-1]].drop(columns="left").assign(extra="x")
    np.testing.assert_array_equal(fitted.inputs(other), fitted.inputs(frame))


def test_numbers_that_are_categories_get_dummies_whether_whole_or_floating():
    frame = table(products=np.arange(N) % 3 + 1)
    fitted = fit(frame, {"categorical_columns": ("products",)})
    assert {"products_2", "products_3"} <= set(fitted.data_spec.feature_names)
    floating = frame.astype({"products": float})
    np.testing.assert_array_equal(fitted.inputs(frame), fitted.inputs(floating))
    restored = fitted.restore_inputs(fitted.inputs(frame))
    pd.testing.assert_series_equal(restored["products"], frame["products"])
    with pytest.raises(DataError, match=r"preprocessing.categorical_columns: column 'product'.*'products'"):
        fit(frame, {"categorical_columns": ("product",)})


def test_a_date_and_a_number_with_empty_cells_are_one_raw_column_each():
    frame = table(when=DATES)
    frame.loc[::7, "balance"] = np.nan
    found = raw_columns(fit(frame).data_spec.blocks)
    assert list(found) == ["age", "balance", "when", "member", "country"]
    assert len(found["when"]) == 5
    assert [block.is_indicator for block in found["balance"]] == [False, True]


def test_an_unseen_category_is_no_category_by_default_and_the_first_one_with_drop_first():
    frame = table()
    other = frame.assign(country=["Atlantis", *frame["country"].tolist()[1:]])
    first = frame.assign(country=["France", *frame["country"].tolist()[1:]])
    fitted = fit(frame)
    with pytest.warns(UserWarning, match="'Atlantis'; their dummies are all 0"):
        row = fitted.inputs(other)[0]
    assert not np.array_equal(row, fitted.inputs(first)[0])
    fitted = fit(frame, {"drop_first": True})
    with pytest.warns(UserWarning, match="'Atlantis'; they are read as 'France'"):
        row = fitted.inputs(other)[0]
    np.testing.assert_array_equal(row, fitted.inputs(first)[0])


def test_no_two_inputs_have_one_name_whatever_columns_are_called():
    k = np.arange(N)
    frame = pd.DataFrame(
        {
            "a": np.where(k % 2, "b_c", "d"),
            "a_b": np.where(k % 3 == 0, "c", "q"),
            "size": np.where(k % 5 == 0, np.nan, k),
            "size_missing": k % 7,
            "when": DATES,
            "when_days": -1.0 * k,
            "left": k % 2 ^ (k % 5 == 0),
        }
    )
    fitted = fit(frame, {"scaling": "none", "drop_first": False})
    names = fitted.data_spec.feature_names
    assert len(set(names)) == len(names) == fitted.data_spec.n_inputs
    assert {"a_b_c", "a_b=c", "size_missing", "size=missing", "when_days", "when=days"} <= set(names)
    inputs = dict(zip(names, fitted.inputs(frame).T, strict=True))
    np.testing.assert_array_equal(inputs["a_b_c"], k % 2)
    np.testing.assert_array_equal(inputs["a_b=c"], k % 3 == 0)
    np.testing.assert_array_equal(inputs["size_missing"], k % 7)
    np.testing.assert_array_equal(inputs["size=missing"], k % 5 == 0)
    np.testing.assert_array_equal(inputs["when_days"], -k)
    restored = fitted.restore_inputs(fitted.inputs(frame))
    np.testing.assert_array_equal(restored["when_days"], -k)
    np.testing.assert_array_equal(restored["when"], frame["when"])


def test_of_new_rows_the_inputs_alone_are_read_unless_one_is_missing():
    frame = table()
    fitted = fit(frame)
    beside = frame.assign(note=[f"a text of row {row}" for row in range(len(frame))])[["note", *frame]]
    read = fitted.read(beside, only_inputs=True)
    assert set(read) == set(fitted.state["original"])
    np.testing.assert_array_equal(fitted.inputs(read), fitted.inputs(frame))
    with pytest.raises(DataError, match="the column 'note' is there twice"):
        fitted.read(beside.assign(**{" note": 1}), only_inputs=True)
    # All stay, so that what stands in its place is found.
    assert "balanse" in fitted.read(frame.rename(columns={"balance": "balanse"}), only_inputs=True)


@pytest.mark.parametrize("scaling", ["standard", "minmax"])
def test_all_columns_are_scaled_by_what_they_are_and_not_by_their_rounding(scaling):
    # To the nearest float32 these are one number.
    seconds = 1.7e9 + np.random.default_rng(2).normal(size=N)
    frame = table(seconds=seconds)
    found = column(fit(frame, {"scaled_columns": "all", "scaling": scaling}), frame, "seconds")[:100]
    alone = column(fit(frame, {"scaling": scaling}), frame, "seconds")[:100]
    np.testing.assert_allclose(found, alone, atol=1e-5)
