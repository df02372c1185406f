import logging
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from layerwise.data import DataError, Problem
from layerwise.data.preprocessing.leaks import count_repeated_rows, find_leaks, validate_no_leaks

N = 300
rng = np.random.default_rng(0)
NOISE = rng.normal(size=N)
CLASSES = rng.integers(0, 5, N)
FLAG = rng.integers(0, 2, N)


def leaking(target, task, **columns):
    return [leak.column for leak in find_leaks(pd.DataFrame({"noise": NOISE, **columns}), target, task)]


def test_honest_columns_are_left_alone():
    useful = FLAG + 0.5 * NOISE
    assert leaking(FLAG, "binary", useful=useful) == []
    assert leaking(NOISE + rng.normal(size=N), "regression") == []


def test_a_threshold_that_splits_the_classes_is_found():
    area = np.where(FLAG == 1, 6 + rng.exponential(size=N), 6 * rng.random(N))
    assert leaking(FLAG, "binary", area=area) == ["area"]


def test_a_copy_of_the_target_of_another_type_is_found():
    assert leaking(FLAG, "binary", copy=FLAG.astype(float)) == ["copy"]


@pytest.mark.parametrize("codes", [np.array([3, 1, 4, 0, 9]), np.array(list("bedca"))])
def test_a_multiclass_target_under_other_names_is_found(codes):
    assert leaking(CLASSES, "multiclass", renamed=codes[CLASSES]) == ["renamed"]


def test_text_whose_values_interleave_the_classes_is_found():
    value = rng.integers(0, 6, N)
    assert leaking(value % 2, "binary", text=np.array(list("abcdef"))[value]) == ["text"]


def test_unique_text_is_no_leak():
    assert leaking(FLAG, "binary", row=[f"row {i}" for i in range(N)]) == []


def test_missing_cells_that_tell_the_class_are_found():
    assert leaking(FLAG, "binary", gap=np.where(FLAG == 1, np.nan, NOISE)) == ["gap"]


def test_a_regression_target_in_another_unit_or_its_logarithm_is_found():
    price = np.exp(NOISE + rng.normal(size=N))
    assert leaking(price, "regression", pence=-100 * price, log=np.log(price)) == ["pence", "log"]


def test_each_of_several_targets_is_looked_at():
    targets = np.stack([FLAG, CLASSES % 2], axis=1)
    assert leaking(targets, "multilabel", second=CLASSES % 2) == ["second"]


def test_a_class_with_few_rows_does_not_stop_the_search():
    rare = CLASSES.copy()
    rare[0] = 9
    assert leaking(rare, "multiclass", copy=rare) == ["copy"]


def test_a_leak_is_an_error_unless_the_problem_allows_it():
    inputs, nothing = pd.DataFrame({"noise": NOISE, "copy": FLAG}), pd.DataFrame(index=range(N))
    with pytest.raises(DataError, match=r"'copy'.*Add copy to problem.drop"):
        validate_no_leaks(inputs, nothing, FLAG, Problem(name="x", task="binary", target="y"))
    allowing = Problem(name="x", task="binary", target="y", allow_leak=True)
    with pytest.warns(UserWarning, match="'copy'"):
        validate_no_leaks(inputs, nothing, FLAG, allowing)


def test_the_log_says_why_a_dropped_column_is_no_input(caplog):
    problem = Problem(name="x", task="binary", target="y")
    with caplog.at_level(logging.INFO):
        validate_no_leaks(pd.DataFrame({"noise": NOISE}), pd.DataFrame({"copy": FLAG}), FLAG, problem)
    assert "'copy' decides the target 'y' and is no input" in caplog.text


def test_test_rows_that_repeat_a_training_row_are_counted():
    frame = pd.DataFrame({"a": [1.0, 2.0, 1.0, np.nan, np.nan, 3.0], "b": list("xyxzzq")})
    assert count_repeated_rows(frame, list(frame), np.array([0, 3]), np.array([1, 2, 4, 5])) == 2


def test_rows_of_every_type_of_cell_repeat_others_if_all_their_cells_are_equal():
    when = pd.to_datetime(["2020-01-01", "2020-01-01", None, None])
    frame = pd.DataFrame(
        {
            "number": [0.0, -0.0, np.nan, np.copysign(np.nan, -1)],
            "whole": pd.array([1, 1, None, None], dtype="Int64"),
            "mixed": pd.Series([1, "1", None, None], dtype=object),
            "day": when,
            "time": when.tz_localize("UTC"),
            "flag": [True, True, False, False],
        }
    )
    training, test = np.array([0, 2]), np.array([1, 3])
    assert count_repeated_rows(frame, list(frame), training, test) == 2
    for name, value in {"number": 1e-300, "mixed": "2", "flag": None}.items():
        other = frame.astype({name: object})
        other.loc[[1, 3], name] = value
        assert count_repeated_rows(other.astype({"number": float}), list(frame), training, test) == 0, name


def test_cells_in_each_other_s_columns_are_no_repetition():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]})
    assert count_repeated_rows(frame, list(frame), np.array([0]), np.array([1])) == 0


def test_a_column_that_is_not_cross_validated_could_not_have_been_a_leak():
    """Columns between noise and a leak: the quick look lets every one through that the whole test calls a leak."""
    rng = np.random.default_rng(0)
    for n_classes in (2, 3, 6):
        target = rng.choice(n_classes, 1200, p=np.arange(1, n_classes + 1) / sum(range(1, n_classes + 1)))
        noisy = {f"{s:.3f}": target + s * rng.normal(size=1200) for s in np.linspace(0.05, 0.4, 15)}
        frame = pd.DataFrame(noisy)
        frame.iloc[np.flatnonzero(target == 0)[::20]] = np.nan
        found = {leak.column for leak in find_leaks(frame, target, "multiclass")}
        expected = {name for name in frame if cross_validated(frame[name], target) > 0.99}
        assert found == expected
        assert len(expected) < 15
        assert expected or n_classes == 6


def cross_validated(column, target):
    tree = DecisionTreeClassifier(
        max_leaf_nodes=len(np.unique(target)), class_weight="balanced", random_state=0
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return balanced_accuracy_score(
        target, cross_val_predict(tree, column.to_numpy()[:, None], target, cv=folds)
    )


def test_three_thousand_columns_take_seconds():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(500, 3000)))
    for n_classes in (2, 5):
        began = time.process_time()
        assert find_leaks(frame, rng.integers(0, n_classes, 500), "multiclass") == []
        assert time.process_time() - began < 8
