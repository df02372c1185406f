"""Train a network stack: several networks at once, of several seeds and over a grid of settings."""

import logging
from typing import cast

from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.models import MLP, Members, MembersConfig
from layerwise.parameters import MLPSettings
from layerwise.pipelines.finetuning.nodes import finetune_random_start, new_network
from layerwise.training import TrainingError
from layerwise.training.supervised import (
    FinetuningHistory,
    FinetuningSettings,
    GridPoint,
    GridSettings,
    MemberHistory,
    StackHistory,
    rank_points,
    train_network_stack,
)
from layerwise.utils import choose_device, report_metrics

log = logging.getLogger(__name__)


def train_networks(
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    mlp: MLPSettings,
    settings: FinetuningSettings,
    seed: int,
    layer_statistics: bool = False,
    seeds: int = 1,
    grid: GridSettings | None = None,
) -> tuple[MLP, FinetuningHistory, Members]:
    """Train a network, or several at once whose seeds follow the run's; the first one is the run's network.

    With a grid, networks of every seed are trained at each of its points, the point is chosen on the
    validation rows, and its networks are the run's.
    """
    points = (grid or GridSettings()).points()
    if seeds == 1 and not points:
        network, history = finetune_random_start(
            labelled, validation, columns, mlp, settings, seed, layer_statistics
        )
        config = MembersConfig(shape=network.config, seeds=(seed,))
        return network, history, Members(config, [network]).eval()
    if layer_statistics:
        raise TrainingError(
            "layer_statistics is of one network: set seeds: 1 and no grid, or layer_statistics: false"
        )
    member_seeds = [seed + k for k in range(seeds)] * max(1, len(points))
    networks = nn.ModuleList([new_network(mlp, columns, settings, each) for each in member_seeds])
    device = choose_device(networks, settings.effective_batch_size(len(labelled)), "fine-tuning")
    member_settings = [point for point in points for _ in range(seeds)] or None
    members, stack_history = train_network_stack(
        [cast(MLP, network.to(device)) for network in networks],
        columns.task,
        labelled.to(device),
        validation.to(device),
        settings,
        member_seeds,
        member_settings,
        dynamic_binarization=columns.dynamic_binarization,
        image_shape=columns.image_shape,
    )
    ranked = (
        rank_points(points, _scores(stack_history, settings, seeds), settings.monitor_is_score)
        if points
        else []
    )
    first = ranked[0]["index"] * seeds if ranked else 0
    chosen = range(first, first + seeds)
    _report(stack_history, chosen)
    if ranked:
        log.info(
            "The grid's best of %d points by %s: %s (%.4f)",
            len(points),
            settings.monitor,
            ", ".join(f"{name} {value:g}" for name, value in ranked[0]["settings"].items()),
            ranked[0]["mean"],
        )
    history = FinetuningHistory(
        epochs=tuple(stack_history.history[first]),
        stopped=stack_history.stopped[first],
        seconds=stack_history.seconds,
        members=tuple(
            MemberHistory(
                seed=member_seeds[k],
                epochs=len(stack_history.history[k]),
                best_epoch=stack_history.best_epoch[k],
                stopped=stack_history.stopped[k],
            )
            for k in chosen
        ),
        grid=tuple(
            GridPoint(**{name: each[name] for name in ("settings", "mean", "std")}) for each in ranked
        ),
        monitor=settings.monitor,
    )
    chosen_networks = [members.member(k).cpu() for k in chosen]
    config = MembersConfig(shape=chosen_networks[0].config, seeds=tuple(member_seeds[k] for k in chosen))
    return chosen_networks[0], history, Members(config, chosen_networks).eval()


def _scores(stack_history: StackHistory, settings: FinetuningSettings, seeds: int) -> list[list[float]]:
    """Return the scores of each point's members, of the epoch that was kept."""
    best = max if settings.monitor_is_score else min
    found = []
    for history in stack_history.history:
        values = [epoch[settings.monitor] for epoch in history]
        found.append(best(values) if settings.keep_best_weights else values[-1])
    return [found[start : start + seeds] for start in range(0, len(found), seeds)]


def _report(stack_history: StackHistory, chosen: range) -> None:
    """Report the means of all metrics over the chosen networks, epoch by epoch."""
    histories = [stack_history.history[k] for k in chosen]
    for epoch in range(max(map(len, histories))):
        running = [history[epoch] for history in histories if epoch < len(history)]
        means = {
            name: sum(each[name] for each in running) / len(running) for name in running[0] if "/" in name
        }
        report_metrics(means, epoch + 1)
