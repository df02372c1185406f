"""A setting that another one leaves without a use is refused where it differs from its default."""

import pytest
import torch
from pydantic import ValidationError

from layerwise.data import TensorData
from layerwise.evaluation.likelihood import LikelihoodSettings
from layerwise.models.rbm import DBN, RBM, DBNConfig, RBMConfig
from layerwise.models.rbm.units import UnitsError
from layerwise.parameters import RBMSettings
from layerwise.training.rbm import (
    ContrastiveDivergenceSettings,
    PretrainingSettings,
    RBMTrainingSettings,
    fit_rbm,
    pretrain_dbn,
)

EVERY = (ContrastiveDivergenceSettings, PretrainingSettings, RBMTrainingSettings, RBMSettings)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"chains": 7}, "chain: data has no use for chains"),
        ({"temperatures": 7}, "chain: data has no use for temperatures"),
        ({"chain": "persistent", "temperatures": 7}, "chain: persistent has no use for temperatures"),
        ({"centered": False, "offset_rate": 0.5}, "centered: false has no use for offset_rate"),
        ({"sparsity_cost": 1.0}, "sparsity_target: null has no use for sparsity_cost"),
        ({"sparsity_decay": 0.5}, "sparsity_target: null has no use for sparsity_decay"),
        ({"chain": "persistent", "sample_visible": False}, "persistent always samples the visible units"),
    ],
)
def test_a_setting_without_a_use_is_refused(kind, given, message):
    with pytest.raises(ValidationError, match=message):
        kind(**given)


def test_weights_are_not_averaged_where_one_epoch_is_kept():
    with pytest.raises(ValidationError, match="has no use for averaged_epochs"):
        RBMTrainingSettings(monitor="validation/pseudo_likelihood", averaged_epochs=0.2)
    for left in (0.0, None):
        RBMTrainingSettings(monitor="validation/pseudo_likelihood", averaged_epochs=left)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(
    "given",
    [
        # The defaults, said.
        {"chains": 100, "temperatures": 10, "offset_rate": 0.01, "sparsity_cost": 0.1, "sparsity_decay": 0.9},
        {"chain": "persistent", "chains": 7, "sample_visible": True},
        {"chain": "tempered", "chains": 7, "temperatures": 7},
        {"centered": True, "offset_rate": 0.5},
        {"centered": None, "offset_rate": 0.5},
        {"sparsity_target": 0.1, "sparsity_cost": 1.0, "sparsity_decay": 0.5},
        {"sample_visible": False, "steps": 3},
    ],
)
def test_a_setting_with_a_use_or_at_its_default_is_taken(kind, given):
    settings = kind(**given)
    assert {name: getattr(settings, name) for name in given} == given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"learn_variance": False, "variance_rate_factor": 1.0}, "learn_variance: false has no use for"),
        ({"hidden_group_size": 4}, "hidden: bernoulli has no use for hidden_group_size"),
        ({"hidden": "nrelu", "hidden_group_size": 4}, "hidden: nrelu has no use for hidden_group_size"),
        (
            {"hidden": "categorical"},
            r"takes hidden_group_size, of 2 .* that divides n_hidden \(500\); it is 0",
        ),
        ({"hidden": "categorical", "hidden_group_size": 3, "n_hidden": 40}, "it is 3"),
    ],
)
def test_settings_of_other_units_are_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        RBMTrainingSettings(**given)
    if "variance_rate_factor" in given:
        with pytest.raises(ValidationError, match=message):
            PretrainingSettings(**given)
    assert RBMTrainingSettings(learn_variance=True, variance_rate_factor=1.0).variance_rate_factor == 1
    assert RBMTrainingSettings(hidden="categorical", hidden_group_size=4).hidden_group_size == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("freeze", True),
        ("features", "samples"),
        ("sparsity_target", 0.1),
        ("dropout", 0.5),
        ("centered", True),
    ],
)
def test_without_pretraining_its_settings_are_refused(name, value):
    with pytest.raises(ValidationError, match=f"method: none has no use for {name}"):
        PretrainingSettings(method="none", **{name: value})
    assert getattr(PretrainingSettings(method="rbm", **{name: value}), name) == value


def test_how_long_and_how_fast_a_problem_pretrains_may_stay_where_none_is_compared():
    tuned = {"epochs": 5, "batch_size": 10, "learning_rate": 0.05, "gaussian_learning_rate": 0.01}
    assert PretrainingSettings(method="none", **tuned).epochs == 5


@pytest.mark.parametrize("name", ["chains", "temperatures", "reverse_steps"])
def test_a_sum_over_all_states_has_no_use_for_annealing(name):
    with pytest.raises(ValidationError, match=f"method: exact has no use for {name}"):
        LikelihoodSettings(method="exact", **{name: 50})
    for method in ("auto", "ais"):
        assert getattr(LikelihoodSettings(method=method, **{name: 50}), name) == 50


@pytest.mark.parametrize(
    "given",
    [
        {"offset_rate": 0.5},
        {"learn_variance": False},
        {"variance_rate_factor": 1.0},
        {"gaussian_learning_rate": 0.001},
    ],
)
def test_settings_of_gaussian_units_are_refused_before_training_where_there_are_none(given):
    rows = TensorData(torch.rand(40, 4, generator=torch.Generator().manual_seed(0)).round())
    for visible in ("bernoulli", "gaussian"):
        learn_variance = visible == "gaussian" and given.get("learn_variance", True)
        rbm = RBM(RBMConfig(n_visible=4, n_hidden=3, visible=visible, learn_variance=learn_variance))
        stack = DBN(
            DBNConfig(n_visible=4, hidden_sizes=(3, 2), visible=visible, learn_variance=learn_variance)
        )
        shared = {"epochs": 1, "batch_size": 20} | given
        trainings = (
            lambda rbm=rbm, shared=shared: fit_rbm(rbm, rows, None, RBMTrainingSettings(**shared), 0),
            lambda stack=stack, shared=shared: pretrain_dbn(
                stack, rows, None, PretrainingSettings(**shared), 0
            ),
        )
        for train in trainings:
            if visible == "bernoulli":
                with pytest.raises(UnitsError, match="no units are Gaussian"):
                    train()
            else:
                assert train().history
