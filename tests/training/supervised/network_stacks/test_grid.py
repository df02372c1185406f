import math
import statistics

import pytest
import torch

from layerwise.models import Members, MembersConfig
from layerwise.training.supervised import (
    FinetuningSettings,
    GridSettings,
    StackHistory,
    finetune,
    rank_points,
    train_network_stack,
)
from layerwise.training.supervised.network_stacks import GridResult, MemberOverrides
from tests.training.supervised.network_stacks.test_train import SEEDS, networks, rows

POINTS = [
    {"learning_rate": 0.02, "l1": 0.0, "l2": 0.0},
    {"learning_rate": 0.1, "l1": 0.5, "l2": 0.0},
    {"learning_rate": 0.005, "l1": 0.0, "l2": 3.0},
]


def test_every_combination_is_a_point():
    grid = GridSettings(learning_rate=(0.1, 0.01), l2=(0, 1))
    assert grid.points() == [
        {"learning_rate": 0.1, "l2": 0},
        {"learning_rate": 0.1, "l2": 1},
        {"learning_rate": 0.01, "l2": 0},
        {"learning_rate": 0.01, "l2": 1},
    ]
    assert GridSettings().points() == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": [0.1, 0]}, "grid.learning_rate holds 0"),
        ({"l1": [-1.0]}, "grid.l1 holds -1"),
        ({"l2": [1, 1]}, "grid.l2 names a value twice"),
        ({"dropout": [0.1]}, "dropout"),
    ],
)
def test_wrong_grids_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        GridSettings(**values)


@pytest.mark.parametrize(
    "optimizer",
    ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "adamw", "nadam"],
)
def test_each_point_equals_the_network_trained_alone_with_its_settings(optimizer):
    decay = {"weight_decay": 0.1} if optimizer == "adamw" else {}
    settings = FinetuningSettings(
        epochs=4,
        batch_size=20,
        learning_rate=0.02,
        optimizer=optimizer,
        schedule="cosine",
        clip_norm=0.5,
        **decay,
    )
    training, validation = rows(), rows(50, "binary", 1)
    stacked, _ = train_network_stack(networks(), "binary", training, validation, settings, SEEDS, POINTS)
    for k, (network, point) in enumerate(zip(networks(), POINTS, strict=True)):
        own = FinetuningSettings.model_validate(settings.model_dump() | point)
        finetune(network, "binary", training, validation, own, SEEDS[k], silent=True)
        for ours, theirs in zip(stacked.member(k).parameters(), network.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_members_that_stop_leave_the_others_their_own_settings():
    settings = FinetuningSettings(
        epochs=12,
        batch_size=20,
        learning_rate=0.02,
        monitor="validation/loss",
        patience=1,
        min_delta=0.005,
    )
    training, validation = rows(), rows(50, "binary", 1)
    stacked, stack_history = train_network_stack(
        networks(), "binary", training, validation, settings, SEEDS, POINTS
    )
    assert len({len(history) for history in stack_history.history}) > 1
    for k, (network, point) in enumerate(zip(networks(), POINTS, strict=True)):
        own = FinetuningSettings.model_validate(settings.model_dump() | point)
        progress = finetune(network, "binary", training, validation, own, SEEDS[k], silent=True)
        assert len(progress.history) == len(stack_history.history[k])
        for ours, theirs in zip(stacked.member(k).parameters(), network.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_what_a_point_does_not_name_is_as_in_the_settings():
    own = MemberOverrides.from_points(
        [{}, {"l2": 4.0}], FinetuningSettings(learning_rate=0.1, l1=2.0), torch.zeros(1)
    )
    assert own.rate.tolist() == [1, 1]
    assert own.l1.tolist() == [2, 2]
    assert own.l2.tolist() == [0, 4]
    assert own.shared_learning_rate
    assert own.penalized
    assert own.for_members([1], [1.0]).l2.tolist() == [4]


def test_the_ranking_has_the_best_point_first():
    points = [{"l2": 0.0}, {"l2": 1.0}]
    ranked = rank_points(points, [[0.3, 0.1], [0.1, 0.2]], higher_is_better=False)
    assert [each["index"] for each in ranked] == [1, 0]
    assert ranked[0]["mean"] == pytest.approx(0.15)
    assert ranked[0]["std"] == pytest.approx(statistics.stdev([0.1, 0.2]))
    assert rank_points(points, [[0.3], [0.1]], higher_is_better=True)[0]["settings"] == {"l2": 0.0}


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_a_point_of_which_a_network_diverged_comes_last(higher_is_better):
    points = [{"l2": 0.0}, {"l2": 1.0}, {"l2": 2.0}]
    worst = -math.inf if higher_is_better else math.inf
    scores = [[0.3, 0.1], [0.9, worst, 0.7], [0.1, 0.2]]
    ranked = rank_points(points, scores, higher_is_better)
    assert ranked[-1]["settings"] == {"l2": 1.0}
    assert (ranked[-1]["mean"], ranked[-1]["diverged"]) == (worst, 1)
    assert ranked[-1]["std"] == pytest.approx(statistics.stdev([0.9, 0.7]))
    assert [each["diverged"] for each in ranked[:2]] == [0, 0]


def test_the_score_of_a_network_is_that_of_the_epoch_that_was_kept():
    history = [[{"validation/loss": value} for value in (1.0, 0.5, 0.45)], []]
    points = [{"l2": 0.0}, {"l2": 1.0}]
    settings = FinetuningSettings(monitor="validation/loss", min_delta=0.1)
    stack_history = StackHistory(history, [2, 0], ["", "diverged in epoch 1"], [0, 1])
    members = Members(MembersConfig(shape=networks()[0].config, seeds=(0, 0)), networks()[:2])
    found = GridResult(members, [0, 0], points, stack_history, settings)
    assert [each["mean"] for each in found.ranking] == [0.5, math.inf]
    assert [each.mean for each in found.finetuning_history().grid] == [0.5, None]
    assert "networks of 1 points diverged" in str(found)
    last = StackHistory([history[0], history[0]], [0, 0], ["", ""], [0, 0])
    kept = GridResult(members, [0, 0], points, last, FinetuningSettings(keep_best_weights=False))
    assert kept.ranking[0]["mean"] == 0.45
