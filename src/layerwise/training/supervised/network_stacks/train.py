"""Train many small networks at once: one small network leaves the processor idle, and a stack of them does not."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from layerwise.data import ImageShape, Task, TensorData
from layerwise.models import MLP, Members, MembersConfig
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError
from layerwise.training.supervised.finetuning import check_settings_fit, make_transform, step_and_time_limits
from layerwise.training.supervised.losses import class_weight_tensor
from layerwise.training.supervised.network_stacks.grid import Point
from layerwise.training.supervised.network_stacks.plan import NetworkStackPlan
from layerwise.training.supervised.network_stacks.state import StackHistory
from layerwise.training.supervised.settings import FinetuningSettings


def train_network_stack(
    networks: Sequence[MLP],
    task: Task,
    training: TensorData | Sequence[TensorData],
    validation: TensorData,
    settings: FinetuningSettings,
    seeds: Sequence[int],
    points: Sequence[Point] | None = None,
    dynamic_binarization: bool = False,
    image_shape: ImageShape | None = None,
) -> tuple[Members, StackHistory]:
    """Train networks of one shape together, each as `finetune` would train it alone with its seed.

    Each member has its own first weights, masks, row order, best epoch and early stop; one that stopped leaves the
    stack. Results agree up to rounding, which Adam and its relatives enlarge where a true gradient is 0: biases before
    batch normalisation drift in float32, alone as together, and not by the same amount.

    Args:
        networks: one for each seed, initialised; they are not changed.
        task: decides the loss.
        training: the rows that all of them learn from, or for each network its own, equally many. Class weights follow
            from the rows of all together.
        validation: the rows that choose each one's best epoch.
        settings: how they learn.
        seeds: of the masks and the row orders.
        points: for each network, the settings that are its own (module `grid`); None: none are.
        dynamic_binarization: read each input as a probability and sample it anew for every batch.
        image_shape: of inputs that are images, which augmentation needs.

    Raises:
        TrainingError: the settings do not fit the task or the rows; networks' own rows are not equally many; a loss is
            not finite. With points a network whose loss is not finite leaves, and it is an error only where all do.
    """
    if settings.resampling != "none":
        raise TrainingError(
            "finetuning.resampling is for one network: set seeds: 1, no grid and no split.folds"
        )
    own = [training] if isinstance(training, TensorData) else list(training)
    n_rows, training = len(own[0]), _joined(own, len(networks))
    batch_size = settings.effective_batch_size(n_rows)
    for rows in own:
        check_settings_fit(networks[0], task, rows, settings, batch_size)
    config, device = MembersConfig(shape=networks[0].config, seeds=tuple(seeds)), training.device
    plan = NetworkStackPlan(
        Members(config, list(networks)),
        task,
        settings,
        n_rows,
        class_weight_tensor(settings.class_weights, task, training, config.shape.n_outputs),
        points or [{}] * len(networks),
        [make_transform(settings, image_shape, dynamic_binarization, seed, device) for seed in seeds],
        may_diverge=points is not None,
    )
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=batch_size,
        rng=plan.rngs["order"][0],
        validation=validation,
        callbacks=step_and_time_limits(settings),
        name="networks",
        quiet=True,
    )
    stack_history = plan.stack_history
    for k in plan.stack.rows:
        stack_history.stopped[k] = stack_history.stopped[k] or progress.stop
    stack_history.seconds = progress.seconds
    return plan.restore_best(), stack_history


def _joined(own: Sequence[TensorData], n_networks: int) -> TensorData:
    """Return the rows of all networks, those of the first network first; one part is that of all networks."""
    if len(own) == 1:
        return own[0]
    numbers = sorted({len(rows) for rows in own})
    if len(own) != n_networks or len(numbers) > 1:
        raise TrainingError(
            f"a stack of {n_networks} networks takes rows for all, or equally many for each of them: there are "
            f"{len(own)} parts of {' and '.join(f'{n:,}' for n in numbers)} rows"
        )
    inputs, targets, weights = (
        [getattr(rows, name) for rows in own] for name in ("inputs", "targets", "weights")
    )
    joined = [None if any(x is None for x in each) else torch.cat(each) for each in (targets, weights)]
    return TensorData(torch.cat(inputs), *joined)
