import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.table import TablePreprocessor
from layerwise.data.problem import PreprocessingSettings, Problem

N = 120
TRAINING = np.arange(100)


def table(**columns):
    rng = np.random.default_rng(0)
    values = {
        "age": rng.integers(18, 90, N),
        "balance": rng.normal(1000, 300, N),
        "country": rng.choice(["France", "Germany", "Spain"], N),
        "member": rng.integers(0, 2, N).astype(bool),
        "left": rng.integers(0, 2, N),
        **columns,
    }
    return pd.DataFrame({name: column for name, column in values.items() if column is not None})


def fit(frame, settings=None, **problem):
    problem = {"name": "t", "task": "binary", "target": "left", **problem}
    return TablePreprocessor.fit(
        frame, TRAINING, Problem(**problem), PreprocessingSettings(**(settings or {}))
    )


def column(fitted, frame, name):
    return fitted.inputs(frame)[:, fitted.data_spec.feature_names.index(name)]


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
    frame.loc[110, "card"] = 3
    with pytest.warns(UserWarning, match="'card' held only 0 and 1"):
        assert column(fit(frame), frame, "card").max() == 1


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


DATES = pd.date_range("2024-01-29", periods=N, freq="D")


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


def test_what_is_no_date_is_named():
    values = pd.Series(DATES.strftime("%Y-%m-%d"))
    values[110] = "soon"
    frame = table(when=values)
    with pytest.raises(DataError, match="'when' holds dates, but row 110 holds 'soon'"):
        fit(frame).inputs(frame)


@pytest.mark.parametrize("row", [7, 110])
def test_text_in_a_numeric_column_is_named_with_its_row(row):
    frame = table()
    frame["balance"] = frame["balance"].astype(object)
    frame.loc[row, "balance"] = "n/a"
    with pytest.raises(DataError, match=rf"'balance' is numeric.*row {row} holds 'n/a'"):
        fit(frame).inputs(frame)


@pytest.mark.parametrize("row", [7, 110])
def test_an_infinite_value_is_named_with_its_row(row):
    frame = table()
    frame.loc[row, "balance"] = np.inf
    with pytest.raises(DataError, match=f"'balance' is infinite in row {row}"):
        fit(frame).inputs(frame)


@pytest.mark.parametrize(
    ("problem", "settings", "message"),
    [
        ({"drop": ("contry",)}, {}, "'contry' is not in the table; did you mean 'country'"),
        ({"target": "lef"}, {}, "'lef' is not in the table; did you mean 'left'"),
        ({}, {"date_columns": ("aeg",)}, "'aeg' is not in the table; did you mean 'age'"),
        ({"target": ""}, {}, "problem.target names no column"),
        ({"positive": 2}, {}, "problem.positive '2' is no class"),
        ({"target": "country"}, {}, "has 3 classes; a binary task needs 2"),
        ({"target": ("left", "age"), "task": "multilabel"}, {}, "'age' holds something beside 0 and 1"),
        ({"target": "country", "task": "regression"}, {}, "'country' is numeric, but row 0 holds"),
        ({"drop": ("age", "balance", "country", "member")}, {}, "no input column is left"),
    ],
)
def test_what_the_table_cannot_serve_is_told(problem, settings, message):
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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_target_that_is_missing_or_infinite_is_refused(value):
    frame = table()
    frame.loc[4, "balance"] = value
    with pytest.raises(DataError, match=r"'balance' is (empty in 1|infinite in row 4)"):
        fit(frame, task="regression", target="balance")


def test_a_regression_target_with_one_value_is_refused():
    with pytest.raises(DataError, match="one value only"):
        fit(table(flat=1.5), task="regression", target="flat")


@pytest.mark.parametrize(("positive", "ones"), [(None, 1), (0, 0), ("0", 0)])
def test_the_positive_class_is_the_last_or_the_one_named(positive, ones):
    frame = table()
    fitted = fit(frame, positive=positive)
    targets = fitted.targets(frame)
    assert (targets.shape, targets.dtype) == ((N, 1), np.float32)
    np.testing.assert_array_equal(targets[:, 0] == 1, frame["left"] == ones)
    np.testing.assert_array_equal(fitted.restore_targets(targets), frame["left"].astype(str))


def test_classes_are_in_the_order_of_their_values():
    frame = table(grade=np.arange(N) % 11)
    fitted = fit(frame, task="multiclass", target="grade")
    assert fitted.data_spec.class_names == tuple(str(k) for k in range(11))
    targets = fitted.targets(frame.astype({"grade": float}))
    assert targets.dtype == np.int64
    np.testing.assert_array_equal(targets, frame["grade"])


def test_a_class_never_seen_in_training_is_refused():
    frame = table(grade=np.arange(N) // 100)
    frame.loc[:50, "grade"] = 7
    with pytest.raises(DataError, match="not seen in training: \\['1'\\]"):
        fit(frame, task="binary", target="grade").targets(frame)


@pytest.mark.parametrize("scale_target", [True, False])
def test_scaling_and_logarithm_of_the_target_are_undone(scale_target):
    frame = table(area=np.r_[np.zeros(60), np.linspace(0.1, 1000, 60)])
    problem = {"task": "regression", "target": "area", "target_transform": "log1p", "allow_leak": True}
    fitted = fit(frame, {"scale_target": scale_target}, **problem)
    targets = fitted.targets(frame)
    logarithms = np.log1p(frame["area"].to_numpy())
    if scale_target:
        # Mean 0 and spread 1 among the training rows alone.
        assert targets[TRAINING].mean() == pytest.approx(0, abs=1e-6)
        assert targets[TRAINING].std() == pytest.approx(1, abs=1e-6)
        assert abs(targets.mean()) > 0.1
    unscaled = fitted.data_spec.unscaled(torch.from_numpy(targets)).numpy()
    np.testing.assert_allclose(unscaled[:, 0], logarithms, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fitted.restore_targets(targets)[:, 0], frame["area"], rtol=1e-5, atol=1e-5)
    assert "area" not in fitted.data_spec.feature_names


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


def test_several_labels_are_one_column_each():
    frame = table(other=np.arange(N) % 2)
    targets = fit(frame, task="multilabel", target=("left", "other")).targets(frame)
    np.testing.assert_array_equal(targets, frame[["left", "other"]].to_numpy(dtype=np.float32))


@pytest.mark.parametrize("scaling", ["standard", "minmax", "none"])
@pytest.mark.parametrize("drop_first", [True, False])
def test_restored_inputs_are_the_raw_columns_in_their_order_and_types(scaling, drop_first):
    frame = table(
        when=DATES,
        iso=DATES.strftime("%Y-%m-%d"),
        hour=pd.date_range("2024-01-01", periods=N, freq="h", tz="UTC"),
    ).assign(kind=lambda f: f["country"].astype("category"), bank="first", count=pd.array(range(N), "Int64"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="constant among")
        fitted = fit(frame, {"scaling": scaling, "drop_first": drop_first})
    restored = fitted.restore_inputs(fitted.inputs(frame))
    expected = frame.drop(columns="left")
    assert list(restored) == list(expected)
    # float32 keeps 7 digits, so an hour among days comes back to the minute, not to the second.
    hours = (restored.pop("hour") - expected.pop("hour")).abs()
    assert hours.max() < pd.Timedelta("5min")
    pd.testing.assert_frame_equal(restored, expected, rtol=1e-5)
