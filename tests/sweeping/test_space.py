import math

import optuna
import pytest

from layerwise.sweeping import SUPERVISED, Space
from layerwise.sweeping.space import SpaceError, merged, shown

READ = ("mlp", "finetuning", "preprocessing", "split")
RATE = {"low": 0.001, "high": 0.1, "log": True}


def checked(given):
    return Space.checked(given, "sweep.yml, mlp", SUPERVISED, READ)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"finetuning.learning_rat": RATE}, "did you mean 'finetuning.learning_rate'"),
        ({"finetunin.learning_rate": RATE}, "did you mean 'finetuning'"),
        ({"finetuning": RATE}, "is a group of parameters; name one, such as finetuning."),
        ({"rbm.n_hidden": [1, 2]}, "the trials do not read it; they read finetuning, mlp"),
        ({"finetuning.loss": ["hinge", "focal"]}, "it changes what validation/loss means"),
        ({"split.seed": {"low": 0, "high": 9}}, "it changes what validation/loss means"),
        ({"mlp.activation": ["relu", "reli"]}, "given: 'reli'"),
        ({"finetuning.epochs": {"low": -3, "high": 10}}, "finetuning.epochs: Input should be greater than"),
        ({"finetuning.learning_rate": {"low": 0.1, "high": 0.01}}, "low has to be less than high"),
        ({"finetuning.learning_rate": {"low": 0.1, "high": math.inf}}, "both finite (given: 0.1 and inf)"),
        ({"finetuning.dropout": {"low": 0.0, "high": 0.5, "log": True}}, "log takes a low above 0"),
        ({"finetuning.dropout": {"low": 0.0, "high": 0.5, "step": -0.1}}, "step has to be above 0"),
        ({"finetuning.dropout": {"low": 0.0, "high": 0.5, "step": 0.6}}, "at most high - low (given: 0.6)"),
        ({"finetuning.patience": {"low": 3, "high": 9, "step": 0}}, "step has to be above 0"),
        ({"finetuning.patience": {"low": 3, "high": 9, "step": 0.5}}, "step has to be whole"),
        ({"mlp.hidden_sizes": [[64], [64, 32], [64]]}, "a choice may stand there once (given twice: [64])"),
        ({"finetuning.learning_rate": {"low": 0.1, "hihg": 0.2}}, "did you mean 'high'"),
        ({"finetuning.learning_rate": 0.1}, "or a list of choices (given: 0.1)"),
        ({"mlp.activation": ["relu"]}, "needs two at least"),
        ({}, "a search space is names with ranges or lists"),
        (None, "a search space is names with ranges or lists"),
    ],
)
def test_what_is_wrong_with_a_space_is_one_message_with_its_name(given, message):
    with pytest.raises(SpaceError) as error:
        checked(given)
    assert str(error.value).startswith("sweep.yml, mlp: ")
    assert message in str(error.value)


def test_a_message_lists_everything_that_is_wrong():
    with pytest.raises(SpaceError, match=r"mlp\.activatio: unknown.*; finetuning\.loss: it changes"):
        checked({"mlp.activatio": ["relu", "tanh"], "finetuning.loss": ["hinge", "focal"]})


def test_a_trial_gets_lists_as_lists_and_numbers_between_the_ends():
    space = checked(
        {
            "mlp.hidden_sizes": [[64], [64, 32]],
            "finetuning.learning_rate": RATE,
            "finetuning.patience": {"low": 3, "high": 5},
            "finetuning.dropout": {"low": 0.0, "high": 0.5, "step": 0.25},
        }
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [space.suggest(study.ask()) for _ in range(40)]
    assert {tuple(each["mlp.hidden_sizes"]) for each in drawn} == {(64,), (64, 32)}
    assert all(0.001 <= each["finetuning.learning_rate"] <= 0.1 for each in drawn)
    assert {each["finetuning.patience"] for each in drawn} == {3, 4, 5}
    assert {each["finetuning.dropout"] for each in drawn} == {0.0, 0.25, 0.5}
    # What the study keeps is what the trial got.
    assert [space.settings(trial.params) for trial in study.trials] == drawn


def test_present_settings_are_tried_only_where_all_of_them_are_in_the_space():
    space = checked({"mlp.hidden_sizes": [[64], [64, 32]], "finetuning.learning_rate": RATE})
    inside = {"mlp": {"hidden_sizes": [64, 32]}, "finetuning": {"learning_rate": 0.01}}
    assert space.stored(inside) == {"mlp.hidden_sizes": "[64, 32]", "finetuning.learning_rate": 0.01}
    assert space.settings(space.stored(inside))["mlp.hidden_sizes"] == [64, 32]
    assert space.stored(inside | {"mlp": {"hidden_sizes": [7]}}) is None
    assert space.stored(inside | {"finetuning": {"learning_rate": None}}) is None
    assert space.stored(inside | {"finetuning": {"learning_rate": 0.5}}) is None


@pytest.mark.parametrize(
    ("name", "domain", "value", "is_inside"),
    [
        ("patience", {"low": 3, "high": 20, "step": 5}, 13, True),
        ("patience", {"low": 3, "high": 20, "step": 5}, 10, False),
        ("l2", {"low": 1, "high": 10}, 1.5, False),
        ("dropout", {"low": 0.0, "high": 0.5, "step": 0.1}, 0.3, True),
        ("dropout", {"low": 0.0, "high": 0.5, "step": 0.1}, 0.25, False),
    ],
)
def test_a_present_setting_between_two_steps_is_not_in_the_space(name, domain, value, is_inside):
    space = checked({f"finetuning.{name}": domain})
    stored = space.stored({"finetuning": {name: value}})
    assert (stored is not None) == is_inside
    if stored:
        study = optuna.create_study()
        study.enqueue_trial(stored)
        assert space.suggest(study.ask()) == {f"finetuning.{name}": value}


def test_a_trials_settings_take_the_place_of_those_of_the_command():
    params = {"finetuning": {"epochs": 3, "learning_rate": 1.0}, "seed": 4}
    found = merged(params, {"finetuning.learning_rate": 0.1, "mlp.hidden_sizes": [8]})
    assert found == {
        "finetuning": {"epochs": 3, "learning_rate": 0.1},
        "seed": 4,
        "mlp": {"hidden_sizes": [8]},
    }
    assert params["finetuning"]["learning_rate"] == 1.0
    assert shown({"a.b": 0.123456, "c": [1, 2]}) == "a.b=0.1235  c=[1, 2]"


@pytest.mark.parametrize("name", ["split", "split.seed", "finetuning.loss"])
def test_what_the_objective_depends_on_is_fixed(name):
    assert SUPERVISED.is_fixed(name)
    assert not SUPERVISED.is_fixed("finetuning.loss_of_another_name")
