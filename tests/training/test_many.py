import pytest
import torch

from layerwise.data.rows import Rows
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.seeding import generator_for
from layerwise.training.finetuning import finetune
from layerwise.training.finetuning_settings import FinetuningSettings
from layerwise.training.loop import TrainingError
from layerwise.training.many import train_many

SEEDS = (3, 4, 11)


def rows(n=90, task="binary", seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 4, generator=generator, dtype=dtype)
    signal = inputs[:, 0] * inputs[:, 1] + 0.5 * torch.randn(n, generator=generator, dtype=dtype)
    if task == "multiclass":
        return Rows(inputs, (signal > 0).long() + (signal > 1).long())
    if task == "regression":
        return Rows(inputs, torch.stack([signal, inputs[:, 2].square()], 1))
    return Rows(inputs, (signal > 0).to(dtype)[:, None])


def networks(task="binary", **changes):
    k = {"binary": 1, "multiclass": 3, "regression": 2}[task]
    shape = MLPConfig(
        **{"n_inputs": 4, "n_outputs": k, "hidden_sizes": (6, 5), "activation": "tanh"} | changes
    )
    return [MLP(shape, generator_for(seed, "network")).double() for seed in SEEDS]


def both_ways(task="binary", shape=None, **settings):
    """The members trained together, and each alone with its seed."""
    chosen = FinetuningSettings(**{"epochs": 4, "batch_size": 20, "learning_rate": 0.02} | settings)
    training, validation = rows(task=task), rows(50, task, 1)
    together, course = train_many(networks(task, **shape or {}), task, training, validation, chosen, SEEDS)
    alone = networks(task, **shape or {})
    runs = [
        finetune(net, task, training, validation, chosen, seed, quiet=True)
        for net, seed in zip(alone, SEEDS, strict=True)
    ]
    return together, course, alone, runs


def assert_equal(together, course, alone, runs):
    for k, (net, run) in enumerate(zip(alone, runs, strict=True)):
        member = together.member(k)
        for (name, ours), theirs in zip(member.named_parameters(), net.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9, msg=name)
        assert len(course.history[k]) == len(run.history)
        assert course.stopped[k] == run.stop
        for ours, theirs in zip(course.history[k], run.history, strict=True):
            for name, value in ours.items():
                assert value == pytest.approx(theirs[name], rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize(
    "optimiser",
    ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "adamw", "nadam"],
)
def test_each_member_equals_the_network_trained_alone_with_its_seed(optimiser):
    assert_equal(*both_ways(optimiser=optimiser))


@pytest.mark.parametrize(
    ("task", "shape", "settings"),
    [
        ("multiclass", {}, {"dropout": (0.3, 0.0)}),
        ("regression", {"activation": ("prelu", "relu")}, {"loss": "huber"}),
        ("binary", {"hidden_sizes": ()}, {"class_weights": "balanced"}),
        ("binary", {}, {"l1": 0.5, "l2": 0.5, "schedule": "cosine", "warmup_epochs": 1}),
        ("binary", {}, {"clip_norm": 0.05, "max_norm": 0.7}),
        ("multiclass", {"activation": "gelu"}, {"clip_value": 0.01, "label_smoothing": 0.1}),
        (
            "regression",
            {"output": "exponential"},
            {"optimiser": "sgd", "learning_rate": 0.001, "keep_best": False},
        ),
    ],
)
def test_members_are_equal_with_every_kind_of_setting(task, shape, settings):
    rates = settings.get("dropout", 0.0)
    assert_equal(*both_ways(task, shape | {"dropout": rates}, **settings))


def test_masks_are_each_members_own():
    assert_equal(*both_ways(shape={"dropout": 0.4, "input_dropout": 0.2}))


def test_each_member_stops_on_its_own_and_keeps_its_best_weights():
    together, course, alone, runs = both_ways(epochs=60, learning_rate=0.05, patience=3)
    lengths = [len(history) for history in course.history]
    assert len(set(lengths)) > 1
    assert max(lengths) < 60
    assert_equal(together, course, alone, runs)


@pytest.mark.parametrize(
    ("shape", "settings", "words"),
    [
        ({"normalisation": "layer"}, {}, "mlp.normalisation"),
        ({}, {"schedule": "plateau"}, "plateau"),
        ({"dropconnect": 0.2}, {}, "dropconnect"),
        ({}, {"max_minutes": 1.0}, "max_minutes"),
    ],
)
def test_what_many_networks_do_not_know_is_refused(shape, settings, words):
    with pytest.raises(TrainingError, match=rf"seeds above 1 .*{words}.* set seeds: 1"):
        train_many(networks(**shape), "binary", rows(), rows(), FinetuningSettings(**settings), SEEDS)


def test_a_member_answers_as_in_the_stack():
    together, *_ = both_ways()
    x = rows().inputs
    for k in range(3):
        torch.testing.assert_close(together(x)[k], together.member(k)(x))
