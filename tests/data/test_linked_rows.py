import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, row_keys, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.sources import Images

PROBLEM = Problem(name="t", task="binary", target="y")


def visits(n=300, seed=0):
    """Return rows of 60 patients, by day, with a class that is rare."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient": rng.integers(0, 60, n),
            "day": (pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, n), "D")).strftime(
                "%Y-%m-%d"
            ),
            "x": rng.normal(size=n),
            "y": (rng.random(n) < 0.2).astype(int),
        }
    )


def parts(split):
    return split.training, split.validation, split.test


def test_no_group_is_on_two_sides():
    frame = visits()
    split = split_raw(frame, PROBLEM, SplitSettings(groups="patient"), 0)
    first, second, third = (set(frame["patient"].iloc[rows]) for rows in parts(split))
    assert not first & second
    assert not first & third
    assert not second & third
    assert sorted(np.concatenate(parts(split))) == list(range(300))


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_sampled_so_that_the_sizes_and_classes_are_those_asked_for(seed):
    frame = visits(seed=seed)
    split = split_raw(frame, PROBLEM, SplitSettings(groups="patient"), seed)
    assert abs(len(split.test) - 60) <= 5
    assert abs(frame["y"].iloc[split.test].mean() - frame["y"].mean()) < 0.03


def test_another_seed_samples_other_groups():
    frame = visits()
    tests = [set(split_raw(frame, PROBLEM, SplitSettings(groups="patient"), seed).test) for seed in (1, 2)]
    assert tests[0] != tests[1]


def test_the_column_of_groups_is_no_input():
    frame = visits()
    split = split_raw(frame, PROBLEM, SplitSettings(groups="patient"), 0)
    preprocessor = fit_preprocessor(frame, split, PROBLEM, PreprocessingSettings(), 0)
    assert "patient" not in preprocessor.state["original"]
    assert "x" in preprocessor.state["original"]


def test_by_time_the_test_rows_are_the_last_and_the_validation_rows_the_last_before_them():
    frame = visits()
    split = split_raw(frame, PROBLEM, SplitSettings(time="day"), 0)
    training, validation, test = (frame["day"].iloc[rows] for rows in parts(split))
    assert training.max() < validation.min()
    assert validation.max() < test.min()
    assert len(test) >= 60
    assert (frame["day"] >= test.min()).sum() == len(test)


def test_numbers_are_times_too():
    frame = visits().assign(day=np.arange(300)[::-1])
    split = split_raw(frame, PROBLEM, SplitSettings(time="day"), 0)
    np.testing.assert_array_equal(np.sort(split.test), np.arange(60))


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({"groups": "pateint"}, {}, "'pateint' is not in the table; did you mean 'patient'"),
        ({"groups": "patient"}, {"patient": [np.nan, *range(299)]}, "empty in 1 row.*first in row 0"),
        ({"groups": "patient"}, {"patient": [1, 2] * 150}, "has 2 group"),
        ({"time": "day"}, {"day": ["2024-01-01"] * 299 + ["soon"]}, "'soon' in row 299, which is no date"),
        ({"time": "day"}, {"day": [1] * 300}, "would be all 300"),
    ],
)
def test_what_cannot_be_split_by_is_refused(settings, changes, message):
    with pytest.raises(DataError, match=message):
        split_raw(visits().assign(**changes), PROBLEM, SplitSettings(**settings), 0)


def test_images_have_no_column_to_split_by():
    images = Images(np.zeros((20, 2, 2), np.uint8), np.repeat([0, 1], 10))
    with pytest.raises(DataError, match="these rows have no columns"):
        row_keys(images, SplitSettings(groups="patient"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"groups": "a", "time": "b"}, "two ways to split"),
        ({"groups": "a", "validation_tail": True}, "leave one out"),
        ({"repeats": 2}, "there are none: set folds"),
        ({"folds": 5, "repeats": 2, "time": "b"}, "repeats has no use"),
    ],
)
def test_settings_of_a_split_that_leave_another_without_a_use_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SplitSettings(**settings)
