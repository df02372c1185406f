"""Train many small networks at once: one small network leaves the processor idle, and a stack of them does not."""

from __future__ import annotations

from collections.abc import Sequence

from layerwise.data import ImageShape, Task, TensorData
from layerwise.models import MLP, Members, MembersConfig
from layerwise.training.loop import fit
from layerwise.training.supervised.finetuning import check_settings_fit, make_transform, step_and_time_limits
from layerwise.training.supervised.grid import Point
from layerwise.training.supervised.losses import class_weight_tensor
from layerwise.training.supervised.network_stack_plan import NetworkStackPlan
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.training.supervised.stack_state import StackHistory


def train_network_stack(
    networks: Sequence[MLP],
    task: Task,
    training: TensorData,
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
        training: the rows that all of them learn from.
        validation: the rows that choose each one's best epoch.
        settings: how they learn.
        seeds: of the masks and the row orders.
        points: for each network, the settings that are its own (`layerwise.training.supervised.grid`); None: none are.
        dynamic_binarization: read each input as a probability and sample it anew for every batch.
        image_shape: of inputs that are images, which augmentation needs.

    Raises:
        TrainingError: the settings do not fit the task or the rows; a loss is not finite. With points a network whose
            loss is not finite leaves, and it is an error only where all do.
    """
    batch_size = settings.effective_batch_size(len(training))
    check_settings_fit(networks[0], task, training, settings, batch_size)
    config, device = MembersConfig(shape=networks[0].config, seeds=tuple(seeds)), training.inputs.device
    plan = NetworkStackPlan(
        Members(config, list(networks)),
        task,
        settings,
        len(training),
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
