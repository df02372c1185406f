import time

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import train_test_split

from layerwise.data import DataError, Problem, Split, SplitSettings, TensorData, choose_labelled, split_raw
from layerwise.data.folds import split_folds
from layerwise.data.splits import split_rows

LABELS = np.repeat([0, 0, 0, 1], 50)


@pytest.mark.parametrize("stratify", [True, False])
def test_the_test_rows_are_those_of_scikit_learn(stratify):
    split = split_rows(LABELS, "binary", SplitSettings(seed=0, stratify=stratify), seed=7)
    _, expected = train_test_split(
        np.arange(200), test_size=0.2, random_state=0, stratify=LABELS if stratify else None
    )
    np.testing.assert_array_equal(split.test, expected)


def test_every_row_is_in_exactly_one_part():
    split = split_rows(LABELS, "binary", SplitSettings(), seed=3)
    joined = np.concatenate([split.training, split.validation, split.test])
    np.testing.assert_array_equal(np.sort(joined), np.arange(200))


def test_stratified_parts_hold_each_class_by_its_fraction():
    split = split_rows(LABELS, "binary", SplitSettings(validation_rows=40), seed=3)
    assert LABELS[split.test].sum() == 10
    assert LABELS[split.validation].sum() == 10


def test_the_runs_seed_decides_unless_the_split_has_its_own():
    def test_rows(seed, own=None):
        return split_rows(LABELS, "binary", SplitSettings(seed=own), seed).test.tolist()

    assert test_rows(1) == test_rows(1)
    assert test_rows(1) != test_rows(2)
    assert test_rows(1, own=5) == test_rows(2, own=5)


def test_official_test_rows_stay_the_test_rows():
    split = split_rows(LABELS, "multiclass", SplitSettings(test_fraction=0.5), seed=0, n_official_test=30)
    np.testing.assert_array_equal(split.test, np.arange(170, 200))
    assert max(split.training.max(), split.validation.max()) < 170


def test_numbers_of_rows_take_the_place_of_fractions():
    split = split_rows(LABELS, "binary", SplitSettings(test_rows=12, validation_rows=8), seed=0)
    assert (len(split.training), len(split.validation), len(split.test)) == (180, 8, 12)


def test_the_tail_is_what_keras_takes_from_the_sampled_training_rows():
    settings = SplitSettings(seed=0, stratify=False, validation_tail=True, validation_fraction=0.25)
    split = split_rows(LABELS, "binary", settings, seed=0)
    rest, _ = train_test_split(np.arange(200), test_size=0.2, random_state=0)
    np.testing.assert_array_equal(split.training, rest[:120])
    np.testing.assert_array_equal(split.validation, rest[120:])


def test_regression_is_not_stratified():
    split = split_rows(np.linspace(0, 1, 50), "regression", SplitSettings(), seed=0)
    assert len(split.test) == 10


def test_a_split_is_the_same_after_json():
    split = split_rows(LABELS, "binary", SplitSettings(), seed=0)
    back = Split.model_validate_json(split.model_dump_json())
    for part in ("training", "validation", "test"):
        np.testing.assert_array_equal(getattr(back, part), getattr(split, part))
        assert getattr(back, part).dtype == np.int64


@pytest.mark.parametrize(
    ("targets", "settings", "message"),
    [
        (np.zeros(50), {}, "one class only"),
        (np.r_[np.zeros(50), 1, 1], {}, "class '1.0' has 2"),
        (LABELS, {"validation_rows": 160}, "validation_rows is 160, but only 160 rows are left"),
        (LABELS, {"test_rows": 200}, "test_rows is 200"),
        (
            np.array([0, 1] * 2),
            {"stratify": False, "test_fraction": 0.9},
            "4 rows are too few for split.test_fraction",
        ),
        (np.arange(12) % 4, {"validation_rows": 1}, "with each class in them"),
    ],
)
def test_too_few_rows_are_an_error_that_names_them(targets, settings, message):
    with pytest.raises(DataError, match=message):
        split_rows(targets, "multiclass", SplitSettings(**settings), seed=0)


@pytest.mark.parametrize("settings", [{}, {"folds": 3}, {"validation_tail": True}])
def test_a_class_of_a_single_row_is_learnt_where_classes_are_not_sampled_alike(settings):
    frame = pd.DataFrame({"x": np.arange(60.0), "kind": ["a", "b"] * 26 + [f"rare {k}" for k in range(8)]})
    problem = Problem(name="t", task="multiclass", target="kind")
    given = SplitSettings(stratify=False, **settings)
    found = (
        split_folds(frame, problem, given, 0).root if given.folds else [split_raw(frame, problem, given, 0)]
    )
    for split in found:
        assert set(frame["kind"].iloc[split.training]) == set(frame["kind"])
        assert min(len(split.validation), len(split.test)) > 0
        parts = np.concatenate([split.training, split.validation, split.test])
        assert sorted(parts.tolist()) == list(range(60))


def test_rows_of_classes_in_words_are_split_in_a_time_that_grows_as_they_do():
    targets = np.array(["no", "yes"], dtype=object)[np.random.default_rng(0).integers(0, 2, 40_000)]
    began = time.process_time()
    split_rows(targets, "binary", SplitSettings(), seed=0)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("n", [3, 4, 8])
def test_a_part_of_few_rows_has_one_at_least(n):
    found = split_rows(np.arange(n) % 2, "binary", SplitSettings(stratify=False), seed=0)
    sizes = [len(found.training), len(found.validation), len(found.test)]
    assert min(sizes) >= 1
    assert sum(sizes) == n


@pytest.mark.parametrize(("n", "n_classes"), [(6, 2), (12, 2), (24, 4), (180, 60)])
def test_each_part_of_few_stratified_rows_has_every_class(n, n_classes):
    labels = np.arange(n) % n_classes
    found = split_rows(labels, "multiclass", SplitSettings(), seed=0)
    for part in (found.training, found.validation, found.test):
        assert set(labels[part]) == set(range(n_classes))


def test_labelled_rows_keep_each_class_by_its_fraction():
    targets = torch.from_numpy(LABELS)
    rows = choose_labelled(TensorData(torch.arange(200.0)[:, None], targets), 20, "multiclass", seed=0)
    assert rows.targets is not None
    assert torch.bincount(rows.targets).tolist() == [15, 5]
    assert torch.equal(targets[rows.inputs[:, 0].long()], rows.targets)


@pytest.mark.parametrize("n", [1, 201])
def test_labelled_rows_out_of_range_are_refused(n):
    with pytest.raises(DataError, match=f"labelled_rows is {n}"):
        choose_labelled(TensorData(torch.zeros(200, 1), torch.from_numpy(LABELS)), n, "multiclass", seed=0)
