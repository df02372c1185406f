import numpy as np
import pytest
import torch
from torch import nn

from layerwise.data import ColumnBlock, DataSpec, TargetTransform, TensorData
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.nodes import measure_importance


@pytest.mark.parametrize("kind", ["none", "log1p", "sqrt", "yeo_johnson", "quantile"])
def test_an_importance_is_in_the_units_of_the_raw_target_whatever_its_transform(kind):
    n = 64
    # Half of the targets are 0 and half 100: k exchanged ones make an RMSE of 100 sqrt(k / n).
    raw = np.repeat([0.0, 100.0], n // 2)[:, None]
    transform = TargetTransform.fit(kind, raw)
    learnt = torch.from_numpy(transform.forward(raw)).float()
    columns = DataSpec(
        task="regression",
        n_inputs=1,
        n_outputs=1,
        feature_names=("x",),
        blocks=(ColumnBlock(name="x", kind="real", start=0, stop=1),),
        target_names=("y",),
        target_transform=kind,
        target_parameters=transform.parameters,
    )
    settings = EvaluationSettings(importance_repeats=1, bootstrap=0)
    # The one column is the transformed target, and the network returns it.
    (found,) = measure_importance(nn.Identity(), TensorData(learnt, learnt), columns, settings, seed=0).root
    exchanged = n * (found.mean / 100) ** 2
    assert exchanged > 1
    assert exchanged == pytest.approx(round(exchanged), rel=1e-3)
