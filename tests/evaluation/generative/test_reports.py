"""The typed results of a GAN's evaluation."""

import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.generative import (
    compare_columns,
    compare_rows,
    compare_with_baseline,
    evaluate_image_samples,
)

PRIVACY = {"memorization_ratio", "membership_auc", "membership_auc_low"}


def frame(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n), "kind": rng.choice(["a", "b"], n)})


def test_rows_that_are_the_test_rows_differ_from_them_in_nothing():
    training, test = frame(50, 0), frame(40, 1)
    found = compare_columns(test.copy(), training, test)
    assert found.marginals == {"x": 0.0, "y": 0.0, "kind": 0.0}
    assert (found.marginal, found.pairwise, found.exact_copies) == (0.0, 0.0, 0.0)
    assert compare_columns(training.head(10), training, test).exact_copies == 1.0


def test_the_pair_whose_association_is_lost_is_named():
    test = frame(400, 1)
    test["y"] = test["x"]
    generated = frame(400, 2)
    found = compare_columns(generated, test, test)
    assert set(found.worst_pair) == {"x", "y"}
    assert found.metrics()["pairwise_distance"] == found.pairwise
    assert found.pairwise > 0.25  # one pair of three, with 1 against about 0


def test_classes_of_generated_rows_are_counted_and_compared_with_a_network():
    rng = torch.Generator().manual_seed(0)
    columns = DataSpec(
        task="binary",
        n_inputs=2,
        n_outputs=1,
        feature_names=("x", "y"),
        blocks=tuple(ColumnBlock(name=n, kind="real", start=k, stop=k + 1) for k, n in enumerate("xy")),
        target_names=("t",),
        class_names=("no", "yes"),
    )

    def rows(n, flipped=False):
        inputs = torch.randn(n, 2, generator=rng)
        targets = (inputs[:, :1] > 0).float()
        return TensorData(inputs, 1 - targets if flipped else targets)

    def predict(inputs):
        return (inputs[:, 0] > 0).long()

    generated = rows(200, flipped=True)
    found = compare_rows(generated, rows(200), rows(200), columns, predict, 0)
    assert found.agreement == {"real": 1.0, "generated": 0.0}
    assert found.classes["generated"][1] == pytest.approx(float(generated.targets.mean()))
    assert found.detection_auc > 0.95
    logged = found.metrics()
    assert logged["real_roc_auc"] > 0.99
    assert logged["synthetic_roc_auc"] < 0.01
    assert logged["memorization_ratio"] == found.privacy.memorization.ratio


def test_a_regressions_rows_have_no_classes():
    columns = DataSpec(
        task="regression",
        n_inputs=1,
        n_outputs=1,
        feature_names=("x",),
        blocks=(ColumnBlock(name="x", kind="real", start=0, stop=1),),
        target_names=("t",),
    )
    rng = torch.Generator().manual_seed(0)
    every = [TensorData(x, 2 * x) for x in torch.randn(3, 100, 1, generator=rng)]
    found = compare_rows(*every, columns, None, 0)
    assert (found.classes, found.agreement) == ({}, {})
    assert set(found.metrics()) == {"synthetic_r2", "real_r2", "detection_auc"} | PRIVACY


def test_images_that_are_training_rows_are_copies_of_the_right_classes():
    rng = torch.Generator().manual_seed(0)
    training, validation, test = torch.rand(3, 300, 6, generator=rng)
    found = evaluate_image_samples(
        training[:200],
        training,
        validation,
        test,
        lambda x: x,
        lambda x: torch.stack([1 - x[:, 0], x[:, 0]], 1),
    )
    assert found.memorization.ratio == pytest.approx(0, abs=1e-6)
    assert sum(found.class_fractions) == pytest.approx(1)
    logged = found.metrics()
    assert logged["memorization_ratio"] == found.memorization.ratio
    assert logged["max_class_fraction"] == pytest.approx(max(found.class_fractions))
    assert logged["min_class_fraction"] == pytest.approx(min(found.class_fractions))
    assert "parzen_sigma" not in logged


def test_a_baseline_is_measured_as_the_images_are():
    true = torch.zeros(2, 5)
    found = compare_with_baseline(torch.full((2, 5), 0.5), true, torch.ones(2, 5))
    assert (found.mse, found.baseline_mse) == (0.25, 1.0)
