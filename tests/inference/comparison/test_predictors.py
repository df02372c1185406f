from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.tables import BINARY

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.sources import Images
from layerwise.evaluation.metrics import compute_metrics, paired_difference
from layerwise.inference import ModelManifest, TrainedModel, compare_models, hash_rows
from layerwise.inference.comparison import MIN_ROWS
from layerwise.models import MLP, MLPConfig
from layerwise.utils import torch_rng


def linear(model, column, factor):
    """Make the network's output a multiple of one input column."""
    index = model.columns.feature_names.index(column)

    def forward(inputs):
        return (factor * inputs[:, index : index + 1]).repeat(1, model.columns.n_outputs)

    model.network.forward = forward
    return model


def labelled(tables, n=200):
    """Return rows whose label depends on the score, with noise."""
    frame = tables.table(n)
    noise = np.random.default_rng(5).normal(size=n)
    frame["left"] = np.where(frame["score"] + noise > 0, "yes", "no")
    return frame


def pair(tmp_path, tables, frame, **problem):
    """Return a model that reads the score and one that reads nothing of use."""
    good, bad = (tables.saved(tmp_path / name, frame, **problem) for name in ("good", "bad"))
    return linear(good, "score", 1.0), linear(bad, "age", 1.0)


def test_a_better_model_wins_by_the_paired_difference_of_raw_rows(tmp_path, tables):
    frame = labelled(tables)
    good, bad = pair(tmp_path, tables, frame)
    found = compare_models(good, bad, frame, same_test_rows=True)
    targets = (frame["left"] == "yes").to_numpy(float)[:, None]
    first, second = (model.scores(model.select_inputs(frame)) for model in (good, bad))
    assert (found.metric, found.rows, found.left_out) == ("roc_auc", 200, 0)
    assert found.new == compute_metrics("binary", targets, first, n_bootstrap=0)["roc_auc"].value
    expected = paired_difference("binary", targets, first, second, "roc_auc")
    np.testing.assert_allclose((found.difference, found.low, found.high), expected)
    assert found.wins
    assert not compare_models(bad, good, frame, same_test_rows=True).is_better


def test_rows_count_by_their_sample_weights_and_those_of_weight_0_not_at_all(tmp_path, tables):
    frame = labelled(tables)
    frame["counts"] = [0.0] * 50 + [1.0] * 100 + [5.0] * 50
    good, bad = pair(tmp_path, tables, frame, **BINARY, weights="counts")
    found = compare_models(good, bad, frame, same_test_rows=True)
    weights, targets = frame["counts"].to_numpy()[50:], (frame["left"] == "yes").to_numpy(float)[50:, None]
    first, second = (model.scores(model.select_inputs(frame))[50:] for model in (good, bad))
    expected = paired_difference("binary", targets, first, second, "roc_auc", weights=weights)
    assert found.rows == 150
    np.testing.assert_allclose((found.difference, found.low, found.high), expected)


def test_a_model_as_good_as_the_champion_does_not_win(tmp_path, tables):
    frame = labelled(tables)
    good, _ = pair(tmp_path, tables, frame)
    found = compare_models(good, good, frame, same_test_rows=True)
    assert not found.wins
    assert (found.difference, found.is_better) == (0, False)


def test_rows_that_the_champion_has_seen_are_left_out(tmp_path, tables):
    frame = labelled(tables)
    good, bad = pair(tmp_path, tables, frame)
    assert "its training rows are not known" in compare_models(good, bad, frame, same_test_rows=False)
    inputs = bad.preprocessor.inputs(bad.select_inputs(frame))
    bad.seen_rows = np.unique(hash_rows(inputs[:120]))
    found = compare_models(good, bad, frame, same_test_rows=False)
    assert (found.rows, found.left_out) == (80, 120)
    rest = frame.iloc[120:].reset_index(drop=True)
    assert replace(found, left_out=0) == compare_models(good, bad, rest, same_test_rows=True)
    bad.seen_rows = np.unique(hash_rows(inputs[: 200 - MIN_ROWS + 1]))
    message = compare_models(good, bad, frame, same_test_rows=False)
    assert (
        message
        == f"only {MIN_ROWS - 1} of 200 test rows can be compared; it has seen {200 - MIN_ROWS + 1} of them"
    )


def test_rows_of_the_model_that_the_new_one_started_from_are_left_out(tmp_path, tables):
    frame = labelled(tables)
    good, bad = pair(tmp_path, tables, frame)
    started = ModelManifest(problem="t", initial_model="t")
    good.manifest = started
    message = compare_models(good, bad, frame, same_test_rows=True)
    assert message == "this one started from a model whose training rows are not known"
    inputs = good.preprocessor.inputs(good.select_inputs(frame))
    good.seen_rows = np.unique(hash_rows(inputs[:70]))
    found = compare_models(good, bad, frame, same_test_rows=True)
    assert (found.rows, found.left_out) == (130, 70)
    bad.seen_rows = np.unique(hash_rows(inputs[50:100]))
    assert compare_models(good, bad, frame, same_test_rows=False).left_out == 100


def test_models_with_other_columns_and_another_positive_class_are_compared(tmp_path, tables):
    frame = labelled(tables)
    good, _ = pair(tmp_path / "a", tables, frame)
    binary = {
        "task": "binary",
        "target": "left",
        "drop": ["a", "b", "cost", "city", "since"],
        "positive": "no",
    }
    other = linear(tables.saved(tmp_path / "b", frame, **binary), "score", -1.0)  # the same answers
    found = compare_models(good, other, frame, same_test_rows=True)
    assert found.difference == pytest.approx(0, abs=1e-12)
    assert found.old > 0.7


def test_a_regression_of_the_logarithm_is_measured_in_raw_units_beside_one_of_the_target(tmp_path, tables):
    frame = tables.table()
    options = {"task": "regression", "target": "cost", "drop": ["left"]}
    plain = tables.saved(tmp_path / "plain", frame, **options)
    logged = tables.saved(tmp_path / "log", frame, target_transform="log1p", smearing=(1.0,), **options)
    for model in (plain, logged):
        model.network.forward = lambda inputs: torch.zeros(len(inputs), 1)
    found = compare_models(plain, logged, frame, same_test_rows=True)
    mean, center = plain.columns.target_means[0], np.expm1(logged.columns.target_means[0])
    for value, constant in ((found.new, mean), (found.old, center)):
        assert value == pytest.approx(float(np.sqrt(((frame["cost"] - constant) ** 2).mean())), rel=1e-5)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ({"task": "multiclass", "target": "left"}, "it solves another task, multiclass"),
        ({"task": "binary", "target": "active"}, "it predicts active"),
    ],
)
def test_models_that_answer_different_questions_are_not_compared(tmp_path, tables, problem, reason):
    frame = labelled(tables)
    good, _ = pair(tmp_path, tables, frame)
    assert (
        compare_models(good, tables.saved(tmp_path / "c", frame, **problem), frame, same_test_rows=True)
        == reason
    )


def test_a_champion_that_cannot_read_the_rows_is_not_compared(tmp_path, tables):
    frame = labelled(tables)
    _, bad = pair(tmp_path, tables, frame)
    binary = {"task": "binary", "target": "left", "positive": "yes", "drop": ["a", "b", "cost", "age"]}
    without = linear(tables.saved(tmp_path / "c", frame, **binary), "score", 1.0)
    found = compare_models(without, bad, frame.drop(columns="age"), same_test_rows=True)
    assert "it cannot read these rows" in found
    assert "age" in found


def test_models_of_images_are_compared_on_images_that_the_champion_has_not_seen(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 120)
    pixels = rng.integers(0, 256, (120, 3, 3)).astype(np.uint8)
    pixels[:, 0, 0] = np.where(labels == 1, 255, 0)
    images, problem = Images(pixels, labels), Problem(name="t", task="multiclass")
    split = split_raw(images, problem, SplitSettings(), 0)
    fitted = fit_preprocessor(images, split, problem, PreprocessingSettings(), 0)
    networks = [MLP(MLPConfig(n_inputs=9, n_outputs=2), torch_rng(0, "w")).eval() for _ in range(2)]
    networks[0].forward = lambda x: torch.stack([1 - x[:, 0], x[:, 0]], 1)  # right on each image
    networks[1].forward = lambda x: torch.stack([x[:, 0], 1 - x[:, 0]], 1)  # wrong on each
    good, bad = (TrainedModel(each, fitted, ModelManifest(problem="t")) for each in networks)
    bad.seen_rows = np.unique(hash_rows(fitted.inputs(images)[:40]))
    found = compare_models(good, bad, images, same_test_rows=False)
    assert (found.metric, found.new, found.old, found.rows, found.left_out) == ("error", 0, 1, 80, 40)
    assert found.wins
