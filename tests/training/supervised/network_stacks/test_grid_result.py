"""The choice among networks trained together, against what is known of made-up histories."""

import torch

from layerwise.models import MLP, Members, MembersConfig, MLPConfig
from layerwise.training.supervised import FinetuningSettings, GridResult, StackHistory

SEEDS = [7, 8, 7, 8]
POINTS = [{"l2": 0.0}, {"l2": 1.0}]
# Losses of each network by epoch; the last one leaves after its first epoch.
LOSSES = [[0.9, 0.5, 0.8], [0.7, 0.6, 0.6], [0.4, 0.3, 0.9], [0.5]]


def result(points=POINTS, diverged=(0, 0, 0, 0), keep_best_weights=True, seeds=SEEDS, losses=LOSSES):
    shape = MLPConfig(n_inputs=2, n_outputs=1)
    networks = [MLP(shape, torch.Generator().manual_seed(k)) for k in range(len(seeds))]
    histories = [
        [{"epoch": float(k + 1), "validation/loss": loss} for k, loss in enumerate(of)] for of in losses
    ]
    best = [of.index(min(of)) + 1 if keep_best_weights else 0 for of in losses]
    history = StackHistory(histories, best, ["", "", "", "patience"], diverged, 2.5)
    members = Members(MembersConfig(shape=shape, seeds=tuple(seeds)), networks)
    return GridResult(
        members,
        seeds,
        points,
        history,
        FinetuningSettings(monitor="validation/loss", keep_best_weights=keep_best_weights),
    ), networks


def test_the_point_whose_networks_are_best_on_average_is_chosen():
    found, networks = result()
    # Of the best epochs: (0.5 + 0.6) / 2 and (0.3 + 0.5) / 2.
    assert [round(each["mean"], 12) for each in found.ranking] == [0.4, 0.55]
    assert found.chosen == range(2, 4)
    members = found.members()
    assert members.config.seeds == (7, 8)
    assert not members.training
    for k, network in enumerate(networks[2:]):
        assert torch.equal(members.member(k).output.weight, network.output.weight)


def test_without_the_best_weights_the_last_epochs_count():
    found, _ = result(keep_best_weights=False)
    # 0.8 and 0.6 against 0.9 and 0.5: both are 0.7 on average, and the first stays first.
    assert [round(each["mean"], 12) for each in found.ranking] == [0.7, 0.7]
    assert found.chosen == range(2)


def test_a_point_with_a_network_that_diverged_comes_last():
    found, _ = result(diverged=(0, 0, 3, 0))
    assert [each["index"] for each in found.ranking] == [0, 1]
    assert found.chosen == range(2)
    assert str(found).endswith("networks of 1 points diverged")


def test_the_history_is_of_the_first_chosen_network_and_says_how_each_ended():
    history = result()[0].finetuning_history()
    assert [epoch["validation/loss"] for epoch in history.epochs] == [0.4, 0.3, 0.9]
    assert [(m.seed, m.epochs, m.best_epoch, m.stopped) for m in history.members] == [
        (7, 3, 2, ""),
        (8, 1, 1, "patience"),
    ]
    assert [point.settings for point in history.grid] == [{"l2": 1.0}, {"l2": 0.0}]
    assert (history.monitor, history.seconds, history.best_epoch) == ("validation/loss", 2.5, 2)


def test_an_epochs_mean_is_of_the_chosen_networks_that_still_learn():
    assert result()[0].mean_epochs() == [
        {"validation/loss": (0.4 + 0.5) / 2},
        {"validation/loss": 0.3},
        {"validation/loss": 0.9},
    ]


def test_without_a_grid_all_networks_are_chosen():
    found, _ = result(points=[])
    assert found.chosen == range(4)
    assert found.finetuning_history().grid == ()
    assert str(found) == "4 networks trained together"
