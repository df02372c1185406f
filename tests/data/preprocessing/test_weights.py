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
    choose_labelled,
    split_raw,
)
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.datasets import TensorsDataset

PROBLEM = Problem(name="t", task="binary", target="y", weights="w")


def table(**changes):
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=100), "w": rng.random(100) + 0.5, "y": rng.integers(0, 2, 100)}
    return pd.DataFrame(columns | changes)


def prepared(frame):
    split = split_raw(frame, PROBLEM, SplitSettings(), 0)
    preprocessor = fit_preprocessor(frame, split, PROBLEM, PreprocessingSettings(), 0)
    return split, preprocessor, preprocess_rows(frame, split, preprocessor)


def test_weights_are_no_input():
    _, preprocessor, _ = prepared(table())
    assert preprocessor.data_spec.feature_names == ("x",)
    assert list(preprocessor.state["original"]) == ["x"]


def test_each_part_has_its_rows_weights_with_a_mean_of_1():
    frame = table()
    split, _, parts = prepared(frame)
    for rows, part in zip((split.training, split.validation, split.test), parts, strict=True):
        raw = frame["w"].to_numpy()[rows]
        np.testing.assert_allclose(part.weights.numpy(), raw / raw.mean(), rtol=1e-6)


def test_labelled_rows_keep_their_weights_with_a_mean_of_1():
    _, _, (training, _, _) = prepared(table())
    labelled = choose_labelled(training, 20, "binary", 0)
    assert float(labelled.weights.mean()) == pytest.approx(1)
    at = [int((training.inputs == each).all(1).nonzero()[0]) for each in labelled.inputs]
    ratio = labelled.weights / training.weights[at]
    assert float(ratio.std()) < 1e-6


def test_weights_are_kept_in_the_catalog(tmp_path):
    dataset = TensorsDataset(filepath=str(tmp_path / "rows.safetensors"))
    rows = TensorData(torch.eye(3), torch.arange(3), torch.tensor([1.0, 2.0, 3.0]))
    dataset.save(rows)
    assert torch.equal(dataset.load().weights, rows.weights)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([np.nan, *[1.0] * 99], "'w' is empty in row 0"),
        ([1.0, -2.0] * 50, "'w' is -2 in row 1.*50 row"),
        ([0.0] * 100, "0 in all rows"),
        (["much"] * 100, "'w' is numeric, but row 0 holds 'much'"),
    ],
)
def test_cells_that_are_no_weights_are_refused_when_the_rows_are_split(weights, message):
    with pytest.raises(DataError, match=message):
        split_raw(table(w=weights), PROBLEM, SplitSettings(), 0)


def test_a_column_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(DataError, match="column 'w' is not in the table"):
        split_raw(table().rename(columns={"w": "v"}), PROBLEM, SplitSettings(), 0)


@pytest.mark.parametrize("problem", [{"target": "w", "weights": "w"}, {"weights": "w"}])
def test_weights_are_of_a_table_with_another_target(problem):
    with pytest.raises(ValueError, match="beside the target"):
        Problem(name="t", task="binary", **problem)
