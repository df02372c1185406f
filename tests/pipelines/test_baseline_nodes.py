"""Baselines are measured with as many resamples as the network itself."""

import pytest
import torch
from helpers.seeded import seeded

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.baseline_nodes import train_baselines


@pytest.mark.parametrize("bootstrap", [0, 20])
def test_baselines_have_the_intervals_that_evaluation_bootstrap_asks_for(bootstrap):
    inputs = torch.randn(80, 2, generator=seeded())
    targets = inputs[:, :1] + 0.5 * torch.randn(80, 1, generator=seeded(1))
    rows = TensorData(inputs, targets)
    columns = DataSpec(
        task="regression",
        n_inputs=2,
        n_outputs=1,
        feature_names=("a", "b"),
        target_names=("y",),
        blocks=tuple(ColumnBlock(name=n, kind="real", start=k, stop=k + 1) for k, n in enumerate("ab")),
    )
    scored = TensorData(inputs[:, :1], targets)
    found = train_baselines(scored, rows, rows, columns, EvaluationSettings(bootstrap=bootstrap), 0)
    for metrics in found.metrics.root.values():
        assert (metrics["rmse"].low is not None) == bool(bootstrap)
