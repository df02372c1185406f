"""Targets, and the way back from matrices to raw columns."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.fitted_tables import DATES, TRAINING, N, fit, table

from layerwise.data import DataError


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_target_that_is_missing_or_infinite_is_refused(value):
    frame = table()
    frame.loc[4, "balance"] = value
    with pytest.raises(DataError, match=r"'balance' is empty in 1|row 4: balance is infinite"):
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
    names = np.asarray(fitted.data_spec.class_names)[targets[:, 0].astype(int)]
    np.testing.assert_array_equal(names, frame["left"].astype(str))


@pytest.mark.parametrize(
    ("words", "positive"),
    [
        (("yes", "zero"), "yes"),
        (("Ja", "Nein"), "Ja"),
        (("J", "N"), "J"),
        (("T", "F"), "T"),
        (("+", "-"), "+"),
        (("Positive", "negative"), "Positive"),
        ((" Y", "n"), "Y"),
        ((True, False), "True"),
        ((1, 2), "1"),
        (("broken", "fine"), "broken"),
    ],
)
def test_without_a_name_the_positive_class_reads_yes_or_is_the_rarer_one(words, positive):
    # The first word comes once in six rows; by it the yes among the other cases is the rarer class or not.
    rare = np.arange(N) % 6 == 0
    for mask in (rare, ~rare) if positive != "broken" else (rare,):
        fitted = fit(table(left=[words[0] if each else words[1] for each in mask]))
        assert fitted.data_spec.positive == positive
        assert fitted.data_spec.class_names[-1] == positive


def test_the_rarer_class_is_that_of_all_rows_whatever_the_training_rows_hold():
    left = np.array(["b"] * 40 + ["a"] * 60 + ["b"] * 20, dtype=object)  # 60 of each but for one
    left[-1] = "a"
    assert fit(table(left=left)).data_spec.positive == "b"
    left[-30:-20] = "b"  # now a is the rarer one, and of the first 100 rows 50 are
    assert fit(table(left=left)).data_spec.positive == "a"


def test_of_two_classes_as_frequent_the_last_in_order_is_positive():
    assert fit(table(left=["a", "b"] * (N // 2))).data_spec.positive == "b"


def test_other_tasks_have_no_positive_class():
    grades = fit(table(grade=np.arange(N) % 3), task="multiclass", target="grade")
    assert grades.data_spec.positive == ""
    assert "data.positive" not in grades.data_spec.run_tags()
    assert fit(table()).data_spec.run_tags()["data.positive"] == "1"


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
        # Mean 0 and standard deviation 1 among the training rows alone.
        assert targets[TRAINING].mean() == pytest.approx(0, abs=1e-6)
        assert targets[TRAINING].std() == pytest.approx(1, abs=1e-6)
        assert abs(targets.mean()) > 0.1
    unscaled = fitted.data_spec.unscaled(torch.from_numpy(targets)).numpy()
    np.testing.assert_allclose(unscaled[:, 0], logarithms, rtol=1e-5, atol=1e-6)
    restored = fitted.data_spec.raw_targets(unscaled)
    np.testing.assert_allclose(restored[:, 0], frame["area"], rtol=1e-5, atol=1e-5)
    assert "area" not in fitted.data_spec.feature_names


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
    expected = frame.drop(columns="left").astype({"kind": "str"})
    assert list(restored) == list(expected)
    # float32 keeps 7 digits, so an hour among days comes back to the minute, not to the second.
    hours = (restored.pop("hour") - expected.pop("hour")).abs()
    assert hours.max() < pd.Timedelta("5min")
    pd.testing.assert_frame_equal(restored, expected, rtol=1e-5)


def test_a_target_with_an_absurd_row_is_standardized_by_its_median():
    values = np.random.default_rng(0).normal(5, 2, N)
    values[3] = 1e6
    fitted = fit(table(value=values), task="regression", target="value")
    median = np.median(values[:100])
    assert fitted.data_spec.target_means == (pytest.approx(median),)
    assert fitted.data_spec.target_scales[0] == pytest.approx(2, rel=0.3)
    restored = fitted.data_spec.unscaled(torch.from_numpy(fitted.targets(table(value=values)).astype(float)))
    np.testing.assert_allclose(restored[:, 0], values, rtol=1e-5)
