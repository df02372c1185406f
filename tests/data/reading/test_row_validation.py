import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.reading import parse_targets, validate_images, validate_rows


def fit_rows(rows):
    problem = Problem(name="t", task="binary", target="left", allow_leak=True)
    split = split_raw(rows, problem, SplitSettings(), 0)
    return fit_preprocessor(rows, split, problem, PreprocessingSettings(), 0)


@pytest.fixture
def frame(tables):
    return tables.table().astype({"city": object, "since": object, "age": object, "member": object})


@pytest.fixture
def preprocessor(tables):
    return tables.fitted(tables.table())


def test_the_rows_of_training_are_always_valid(frame, preprocessor):
    assert (validate_rows(frame, preprocessor) == "").all()


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("age", "old", "age is a number, and holds 'old'"),
        ("age", np.inf, "age is infinite"),
        ("age", None, "age is empty, and never was in training"),
        ("age", -1, "age is -1, and was never negative"),
        ("age", 4000, "age is 4000, far outside of"),
        ("age", "'; DROP TABLE rows; --", "age is a number"),
        ("member", 2, "member is 0 or 1, and holds 2"),
        ("city", "paris", r"city holds 'paris', which training never saw \(oslo, rome\)"),
        ("city", None, "city is empty"),
        ("since", "someday", "since is a date, and holds 'someday'"),
        ("since", "0001-01-01", "since is 0001-01-01.*, far outside of 20"),
        ("since", "9999-12-31", "since is 9999-12-31.*, far outside of 20"),
    ],
)
def test_a_faulty_cell_makes_its_row_alone_invalid_with_the_reason(frame, preprocessor, column, value, words):
    frame.loc[7, column] = value
    reasons = validate_rows(frame, preprocessor)
    assert (np.delete(reasons, 7) == "").all()
    assert pd.Series([reasons[7]]).str.contains(words).all(), reasons[7]


def test_an_empty_cell_is_no_reason_where_training_had_empty_ones(frame, preprocessor):
    frame.loc[7, "income"] = None
    assert (validate_rows(frame, preprocessor) == "").all()


def test_negative_numbers_are_right_where_training_had_them(frame, preprocessor):
    frame.loc[7, "score"] = -2.5
    assert (validate_rows(frame, preprocessor) == "").all()


@pytest.mark.parametrize(("column", "value"), [("age", None), ("age", -1), ("city", "paris"), ("member", 2)])
def test_what_training_never_had_is_valid_when_not_strict(frame, preprocessor, column, value):
    frame.loc[7, column] = value
    assert (validate_rows(frame, preprocessor, strict=False) == "").all()


def test_what_the_files_other_rows_held_is_no_reason_and_what_no_row_held_still_is():
    n = 60
    rows = pd.DataFrame(
        {
            "rain": [0.0, 0.2] * (n // 2),
            "city": ["rome", "oslo"] * (n // 2),
            "since": ["2020-01-01", "2020-03-01"] * (n // 2),
            "age": np.arange(n, dtype=float),
            "left": ["yes", "no", "no"] * (n // 3),
        }
    )
    test = split_raw(rows, Problem(name="t", task="binary", target="left"), SplitSettings(), 0).test[0]
    rows.loc[test, ["rain", "city", "since", "age"]] = [-6.4, "paris", "1950-01-01", None]
    preprocessor = fit_rows(rows)
    assert (validate_rows(rows, preprocessor) == "").all()
    worse = rows.astype({"rain": object}).copy()
    worse.loc[test, ["rain", "city", "since"]] = [-70000, "berlin", "1066-01-01"]
    (reason,) = validate_rows(worse, preprocessor)[[test]]
    assert "rain is -70000, far outside of -6.4 to 0.2" in reason
    assert "city holds 'berlin'" in reason
    assert "far outside of 1950-01-01 to 2020-03-01" in reason
    assert "rain" not in fit_rows(rows.drop(index=test)).state["summary"]["beyond"]


def test_text_in_a_number_column_is_invalid_also_when_not_strict(frame, preprocessor):
    frame.loc[7, "age"] = "old"
    assert validate_rows(frame, preprocessor, strict=False)[7]


def test_two_faults_of_a_row_are_both_named(frame, preprocessor):
    frame.loc[7, ["age", "city"]] = ["old", "paris"]
    assert validate_rows(frame, preprocessor)[7].count(";") == 1


def test_every_missing_column_is_named_at_once(frame, preprocessor):
    with pytest.raises(DataError, match=r"missing input column\(s\): 'age'; did you mean 'aged'\?, 'city'"):
        validate_rows(frame.rename(columns={"age": "aged"}).drop(columns="city"), preprocessor)


def test_a_target_that_training_never_saw_is_a_reason(frame, preprocessor):
    frame["left"] = frame["left"].astype(object)
    frame.loc[[2, 3], "left"] = ["maybe", None]
    targets, reasons = parse_targets(frame, preprocessor.data_spec)
    assert reasons[2] == "left holds 'maybe', a class training never saw"
    assert reasons[3] == "left is empty"
    right = reasons == ""
    np.testing.assert_array_equal(targets[right, 0], (frame["left"][right] == "yes").astype(float))


def test_an_image_with_a_pixel_out_of_bounds_is_invalid():
    pixels = np.zeros((4, 2, 2))
    pixels[1, 0, 0], pixels[2, 1, 1], pixels[3, 0, 1] = 256, np.nan, -1
    assert (validate_images(pixels) == "").tolist() == [True, False, False, False]
