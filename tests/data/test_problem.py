import pytest
from pydantic import ValidationError

from layerwise.data import PreprocessingSettings, Problem, SplitSettings


def test_a_misspelt_name_is_answered_with_the_right_one():
    with pytest.raises(ValidationError, match="unknown parameter 'targt'; did you mean 'target'"):
        Problem(name="x", task="binary", targt="y")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"task": "binary", "target_transform": "log1p"}, "target_transform is for regression"),
        ({"task": "multiclass", "positive": "a"}, "positive is for a binary task"),
        ({"task": "regression", "anomalies": ["1"]}, "anomalies names classes"),
        ({"task": "binary", "target": ["a", "b"]}, "one target column, not 2"),
        ({"task": "binary", "target": "y", "drop": ["y"]}, "drop names the target 'y'"),
        ({"task": "binary", "name": "a/b"}, "pattern"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Problem(**{"name": "x", **values})


@pytest.mark.parametrize("values", [{"test_fraction": 1.0}, {"validation_rows": 0}, {"seed": -1}])
def test_a_split_out_of_range_is_refused(values):
    with pytest.raises(ValidationError):
        SplitSettings(**values)


def test_a_date_column_is_named_once():
    with pytest.raises(ValidationError, match="twice"):
        PreprocessingSettings(date_columns=("day", "day"))


def test_targets_are_a_tuple_whether_one_or_many():
    assert Problem(name="x", task="binary", target="y").targets == ("y",)
    assert Problem(name="x", task="regression", target=["a", "b"]).targets == ("a", "b")
    assert Problem(name="x", task="multiclass").targets == ()
