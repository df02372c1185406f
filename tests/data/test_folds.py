import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError, Problem, RowKeys, SplitSettings, fold_splits, split_folds

LABELS = np.repeat([0, 0, 0, 1], 50)


def joined(split):
    return np.sort(np.concatenate([split.training, split.validation, split.test]))


def test_every_row_is_a_test_row_of_one_fold_in_each_repeat():
    found = fold_splits(LABELS, "binary", SplitSettings(folds=5, repeats=3), 0)
    assert len(found) == 15
    for repeat in range(3):
        tests = np.concatenate([each.test for each in found[5 * repeat : 5 * repeat + 5]])
        np.testing.assert_array_equal(np.sort(tests), np.arange(200))
    for each in found:
        np.testing.assert_array_equal(joined(each), np.arange(200))


def test_repeats_are_of_other_folds():
    found = fold_splits(LABELS, "binary", SplitSettings(folds=4, repeats=2), 0)
    assert set(found[0].test) != set(found[4].test)


def test_the_folds_have_the_fractions_of_the_classes():
    for each in fold_splits(LABELS, "binary", SplitSettings(folds=5), 3):
        assert LABELS[each.test].sum() == 10
        assert LABELS[each.validation].sum() == 4


def test_no_group_is_on_two_sides_of_a_fold():
    groups = np.random.default_rng(0).integers(0, 40, 200)
    found = fold_splits(LABELS, "binary", SplitSettings(folds=4, groups="g"), 0, keys=RowKeys(groups=groups))
    np.testing.assert_array_equal(np.sort(np.concatenate([each.test for each in found])), np.arange(200))
    for each in found:
        sides = [set(groups[rows]) for rows in (each.training, each.validation, each.test)]
        assert sum(map(len, sides)) == len(set.union(*sides))
        assert each.not_inputs == ("g",)


def test_by_time_a_fold_learns_from_earlier_rows_alone():
    times = np.random.default_rng(0).permutation(200).astype(float)
    found = fold_splits(LABELS, "regression", SplitSettings(folds=4, time="t"), 0, keys=RowKeys(times=times))
    assert len(found) == 4
    for each in found:
        assert times[each.training].max() < times[each.validation].min()
        assert times[each.validation].max() < times[each.test].min()
    ends = [times[each.test].max() for each in found]
    assert ends == sorted(ends)
    assert ends[-1] == 199


def test_official_test_rows_are_in_no_fold():
    found = fold_splits(LABELS, "multiclass", SplitSettings(folds=5), 0, n_official_test=40)
    for each in found:
        np.testing.assert_array_equal(joined(each), np.arange(160))


def test_the_runs_seed_decides_unless_the_split_has_its_own():
    def first(seed, own=None):
        return fold_splits(LABELS, "binary", SplitSettings(folds=5, seed=own), seed)[0].test.tolist()

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert first(1, own=3) == first(2, own=3)


@pytest.mark.parametrize(
    ("labels", "settings", "keys", "message"),
    [
        (np.r_[LABELS, 2, 2, 2], {"folds": 5}, RowKeys(), "class '2' has 3 row"),
        (np.arange(8.0), {"folds": 5}, RowKeys(), "there are 8 rows"),
        (
            np.arange(40.0),
            {"folds": 5, "groups": "g"},
            RowKeys(groups=np.arange(40) % 4),
            "there are 4 groups",
        ),
        (
            np.arange(40.0),
            {"folds": 5, "time": "t"},
            RowKeys(times=np.arange(40) // 10.0),
            "make no 6 blocks",
        ),
    ],
)
def test_too_few_rows_for_the_folds_are_refused(labels, settings, keys, message):
    task = "multiclass" if len(labels) > 100 else "regression"
    with pytest.raises(DataError, match=message):
        fold_splits(labels, task, SplitSettings(**settings), 0, keys=keys)


def test_rows_with_an_empty_target_are_in_no_fold_and_pretrain_in_each():
    frame = pd.DataFrame({"x": np.arange(40.0), "y": [0.0, 1.0] * 20})
    frame.loc[[3, 10, 27], "y"] = np.nan
    problem = Problem(name="t", task="binary", target="y")
    found = split_folds(frame, problem, SplitSettings(folds=4), 0)
    tests = np.concatenate([each.test for each in found.root])
    np.testing.assert_array_equal(np.sort(tests), np.setdiff1d(np.arange(40), [3, 10, 27]))
    for each in found.root:
        np.testing.assert_array_equal(each.unlabelled, [3, 10, 27])
