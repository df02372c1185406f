"""RBMs that start from trained ones have their weights to the bit, and the layers above their own."""

import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec
from layerwise.models.rbm import DBN, RBM, DBNConfig, RBMConfig
from layerwise.training import TrainingError
from layerwise.training.rbm.starting import start_from


def rng(seed):
    return torch.Generator().manual_seed(seed)


def test_an_rbm_is_the_lowest_layer_and_the_others_stay_as_they_were():
    source = RBM(RBMConfig(n_visible=6, n_hidden=4, dropout=0.5), rng(1))
    source.hidden_bias.fill_(0.25)
    stack = DBN(DBNConfig(n_visible=6, hidden_sizes=(4, 3)), rng(2))
    above = stack.rbm_layers()[1].weight.clone()
    assert start_from(stack, source, "a.rbm") == 1
    lowest, second = stack.rbm_layers()
    assert torch.equal(lowest.weight, source.weight)
    assert torch.equal(lowest.hidden_bias, source.hidden_bias)
    assert torch.equal(second.weight, above)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            RBMConfig(n_visible=6, n_hidden=5),
            "n_hidden 5, and this stack's has 4; set dbn.hidden_sizes to .5.",
        ),
        (RBMConfig(n_visible=6, n_hidden=4, visible="gaussian"), "visible gaussian, .* has bernoulli"),
        (RBMConfig(n_visible=6, n_hidden=4, hidden="nrelu"), "hidden nrelu, .* has bernoulli"),
    ],
)
def test_an_rbm_of_another_kind_is_refused(source, message):
    stack = DBN(DBNConfig(n_visible=6, hidden_sizes=(4, 3)), rng(2))
    with pytest.raises(TrainingError, match=message):
        start_from(stack, RBM(source, rng(1)), "a.rbm")


def spec(*blocks, **more):
    return DataSpec(
        task="regression",
        n_inputs=9,
        n_outputs=1,
        feature_names=(),
        blocks=blocks,
        target_names=("y",),
        **more,
    )


AGE = ColumnBlock(name="Age", kind="real", start=0, stop=1)
LAND = ColumnBlock(name="Land", kind="categorical", start=1, stop=3, categories=("A", "B"))


@pytest.mark.parametrize(
    ("own", "other", "difference"),
    [
        (spec(AGE, LAND), spec(AGE, LAND, n_training=7), ""),
        (spec(AGE), spec(AGE, LAND), "it reads a column 'Land', and these rows have none"),
        (spec(AGE, LAND), spec(AGE), "it does not read the column 'Land'"),
        (
            spec(AGE, LAND),
            spec(AGE, LAND.model_copy(update={"categories": ("A", "C")})),
            "its column 'Land' is categorical (A, C), and here it is categorical (A, B)",
        ),
        (
            spec(AGE),
            spec(AGE.model_copy(update={"kind": "binary"})),
            "its column 'Age' is binary, and here it is real",
        ),
        (
            spec(AGE, LAND),
            spec(AGE.model_copy(update={"start": 2, "stop": 3}), LAND),
            "its column 'Age' stands elsewhere",
        ),
        (spec(image_shape=(8, 8)), spec(image_shape=(8, 8)), ""),
        (
            spec(image_shape=(8, 8)),
            spec(image_shape=(28, 28)),
            "it reads 28 x 28 pixels, and these rows have 8 x 8 pixels",
        ),
        (spec(AGE), spec(image_shape=(8, 8)), "it reads 8 x 8 pixels, and these rows have no images"),
    ],
)
def test_the_first_difference_between_columns_is_said(own, other, difference):
    assert own.difference_of_inputs(other) == difference
