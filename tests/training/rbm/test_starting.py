"""RBMs that start from trained ones have their weights to the bit, and the layers above their own."""

import pytest
import torch
from helpers.seeded import seeded as rng

from layerwise.models.rbm import DBN, RBM, DBNConfig, RBMConfig
from layerwise.training import TrainingError
from layerwise.training.rbm.starting import start_from


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
