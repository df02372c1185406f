"""Each network of a stack decides by a threshold of its own, as it would alone; against exact metrics."""

import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.models import MLP, Members, MembersConfig, MLPConfig
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation.nodes import measure_members

SHAPE = MLPConfig(n_inputs=1, n_outputs=1)
COLUMNS = DataSpec(
    task="binary",
    n_inputs=1,
    n_outputs=1,
    feature_names=("x",),
    blocks=(ColumnBlock(name="x", kind="real", start=0, stop=1),),
    target_names=("y",),
    class_names=("no", "yes"),
)
# One network's logits are those of the other, far to the low side.
BIASES = (0.0, -4.0)


def stack():
    networks = [MLP(SHAPE) for _ in BIASES]
    for network, bias in zip(networks, BIASES, strict=True):
        network.output.weight.data.fill_(1.0)
        network.output.bias.data.fill_(bias)
    return Members(MembersConfig(shape=SHAPE, seeds=(0, 1)), networks)


def rows(*x):
    inputs = torch.tensor(x)[:, None]
    return TensorData(inputs, (inputs > 0).float())


@pytest.mark.parametrize(
    ("threshold", "mean", "std"), [("accuracy", 1.0, 0.0), ("f1", 1.0, 0.0), ("half", 0.75, 0.5 / 2**0.5)]
)
def test_each_network_is_measured_by_its_own_threshold(threshold, mean, std):
    validation, test = rows(-2.0, -1.0, 1.0, 2.0), rows(-3.0, -1.5, 1.5, 3.0)
    settings = EvaluationSettings(threshold=threshold)
    found = measure_members(stack(), validation, test, COLUMNS, settings).spreads["accuracy"]
    assert (found.mean, found.std) == pytest.approx((mean, std))
