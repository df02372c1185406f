import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.data import (
    DataError,
    PreprocessingSettings,
    Problem,
    SplitSettings,
    TensorData,
    preprocess_unlabelled,
    split_folds,
    split_raw,
    with_unlabelled,
)
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows

PROBLEM = Problem(name="t", task="binary", target="left")
SETTINGS, SEED = SplitSettings(), 3


def table(n=200, n_empty=60):
    """Return rows with a target of 0 and 1, empty in some."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 5, n).round(1),
            "city": rng.choice(["rome", "oslo"], n),
            "left": rng.integers(0, 2, n).astype(float),
        }
    )
    frame.loc[rng.choice(n, n_empty, replace=False), "left"] = np.nan
    return frame


def fitted(frame, split, problem=PROBLEM):
    return fit_preprocessor(frame, split, problem, PreprocessingSettings(), SEED)


def test_rows_with_an_empty_target_are_in_no_part_but_their_own():
    frame = table()
    found = split_raw(frame, PROBLEM, SETTINGS, SEED)
    np.testing.assert_array_equal(found.unlabelled, np.flatnonzero(frame["left"].isna()))
    parts = np.concatenate([found.training, found.validation, found.test])
    np.testing.assert_array_equal(np.sort(parts), np.flatnonzero(frame["left"].notna()))


def test_labelled_rows_are_split_and_preprocessed_as_if_there_were_no_others():
    frame = table()
    alone = frame[frame["left"].notna()].reset_index(drop=True)
    with_others, without = (split_raw(rows, PROBLEM, SETTINGS, SEED) for rows in (frame, alone))
    positions = np.flatnonzero(frame["left"].notna())
    for part in ("training", "validation", "test"):
        np.testing.assert_array_equal(getattr(with_others, part), positions[getattr(without, part)])
    assert len(without.unlabelled) == 0
    here = preprocess_rows(frame, with_others, fitted(frame, with_others))
    there = preprocess_rows(alone, without, fitted(alone, without))
    for ours, theirs in zip(here, there, strict=True):
        assert torch.equal(ours.inputs, theirs.inputs)
        assert torch.equal(ours.targets, theirs.targets)


def test_the_model_card_says_how_many_rows_have_no_label():
    frame = table()
    spec = fitted(frame, split_raw(frame, PROBLEM, SETTINGS, SEED)).data_spec
    assert "60 rows have no label: they are in no figure." in spec.notes
    assert (spec.n_training, spec.n_validation, spec.n_test) == (100, 12, 28)


def test_folds_hold_labelled_rows_alone():
    frame = table()
    folds = split_folds(frame, PROBLEM, SplitSettings(folds=5), SEED).root
    labelled = np.flatnonzero(frame["left"].notna())
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in folds])), labelled)
    for fold in folds:
        assert set(fold.training) | set(fold.validation) | set(fold.test) == set(labelled)


def test_of_several_targets_an_empty_one_is_enough():
    frame = table().assign(right=1.0).fillna({"left": 0.0})
    frame.loc[::2, "right"] = 0.0
    frame.loc[[3, 7], "left"], frame.loc[[7, 8], "right"] = np.nan, np.nan
    problem = Problem(name="t", task="multilabel", target=("left", "right"))
    assert split_raw(frame, problem, SETTINGS, SEED).unlabelled.tolist() == [3, 7, 8]


def test_a_target_that_is_empty_throughout_is_an_error():
    with pytest.raises(DataError, match="the target left is empty in every row: there is no label"):
        split_raw(table().assign(left=np.nan), PROBLEM, SETTINGS, SEED)


def test_rows_without_a_label_of_the_table_and_of_a_file_become_inputs_and_the_others_are_counted():
    frame = table()
    split = split_raw(frame, PROBLEM, SETTINGS, SEED)
    preprocessor = fitted(frame, split)
    more = frame[["city", "age"]].head(10).astype({"age": object})
    more.loc[[2, 5], "age"] = "old"
    more.loc[3, "city"] = "atlantis"  # never seen, and imputed
    with pytest.warns(UserWarning, match="atlantis"):
        found, reasons = preprocess_unlabelled(frame, split, preprocessor, more)
    assert len(found) == 60 + 8
    assert found.targets is None
    assert reasons.total() == 2
    assert next(iter(reasons)).startswith("age is a number")
    np.testing.assert_array_equal(found.inputs[:60], preprocessor.inputs(frame.iloc[split.unlabelled]))
    right = more.drop(index=[2, 3, 5]).astype({"age": float})
    kept = [0, 1, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal(found.inputs[60:][kept], preprocessor.inputs(right))


def test_without_such_rows_there_are_none_and_pretraining_reads_the_training_rows_themselves():
    frame = table(n_empty=0)
    split = split_raw(frame, PROBLEM, SETTINGS, SEED)
    found, reasons = preprocess_unlabelled(frame, split, fitted(frame, split))
    assert (len(found), found.inputs.shape[1], reasons.total()) == (0, 3, 0)
    training = TensorData(torch.ones(4, 3), torch.zeros(4, 1))
    assert with_unlabelled(training, found) is training
    assert with_unlabelled(training, None) is training


def test_pretraining_reads_training_rows_and_then_the_others_without_any_target():
    training = TensorData(torch.ones(4, 3), torch.zeros(4, 1))
    both = with_unlabelled(training, TensorData(torch.full((2, 3), 7.0)))
    assert both.targets is None
    assert both.inputs[:, 0].tolist() == [1, 1, 1, 1, 7, 7]


def test_a_table_without_a_target_is_preprocessed_without_one():
    frame = table().drop(columns="left")
    problem = Problem(name="t", task="binary", target=None)
    split = split_raw(frame, problem, SETTINGS, SEED)
    assert (len(split.training), len(split.validation), len(split.test)) == (144, 16, 40)
    preprocessor = fitted(frame, split, problem)
    training, _, test = preprocess_rows(frame, split, preprocessor)
    assert training.targets is None
    assert (len(training), len(test)) == (144, 40)
    assert preprocessor.data_spec.target_names == ()
    assert preprocessor.restore_inputs(training.inputs.numpy())["city"].tolist() == (
        frame["city"].iloc[split.training].tolist()
    )
