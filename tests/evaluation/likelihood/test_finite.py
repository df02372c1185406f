"""A likelihood that is no number is an error with its reason."""

import math

import pytest
import torch

from layerwise.evaluation.likelihood import (
    LikelihoodError,
    LikelihoodSettings,
    LogPartition,
    LogProbability,
    rbm_likelihood,
)
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.utils import torch_rng


@pytest.mark.parametrize("high", [math.nan, math.inf, -math.inf])
def test_an_interval_without_a_number_is_refused_with_its_reason(high):
    with pytest.raises(LikelihoodError, match=r"weights are too large.*lower learning rate"):
        LogProbability.of(torch.tensor([high, high]), LogPartition("exact", 0.0, 1.0))
    # Without an upper bound of log Z there is no lower bound here, and that is no error.
    assert LogProbability.of(torch.tensor([-3.0, -3.0]), LogPartition("ais", 0.0, math.inf)).midpoint == -3.0


def test_an_rbm_whose_weights_are_no_numbers_has_no_likelihood():
    rbm = RBM(RBMConfig(n_visible=4, n_hidden=3), torch_rng(0, "weights"))
    rows = torch.zeros(6, 4)
    settings = LikelihoodSettings(chains=2, temperatures=3, reverse_steps=1)
    rbm_likelihood(rbm, rows, rows, settings, 0, images=False)
    with torch.no_grad():
        rbm.weight.fill_(math.nan)
    with pytest.raises(LikelihoodError, match="is nan"):
        rbm_likelihood(rbm, rows, rows, settings, 0, images=False)
