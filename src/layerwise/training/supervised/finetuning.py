"""Back-propagation through the whole network, with the best weights by the validation rows."""

from __future__ import annotations

from collections.abc import Sequence

from layerwise.checkpointing.state import Progress
from layerwise.data.tensors import Rows, Task
from layerwise.models.mlp import MLP
from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.callbacks.reduce_on_plateau import HasRate, ReduceOnPlateau
from layerwise.training.callbacks.stopping import Budget, KeepBest
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError
from layerwise.training.supervised.backpropagation import Backpropagation
from layerwise.training.supervised.losses import check_targets, class_weights, loss_of
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.training.transforms import batch_changes
from layerwise.utils.random_streams import generator_for


def finetune(
    network: MLP,
    task: Task,
    training: Rows,
    validation: Rows,
    settings: FinetuningSettings,
    seed: int,
    freeze: bool = False,
    fresh: bool = False,
    image_shape: tuple[int, int] | None = None,
    callbacks: Sequence[Callback] = (),
    quiet: bool = False,
    name: str = "fine-tuning",
) -> Progress:
    """Train the network in place; it ends with the weights of its best epoch on the validation rows.

    A batch larger than the labelled rows becomes one batch of all of them.

    Args:
        network: learns in place, and ends in evaluation mode.
        freeze: train the head alone.
        fresh: read each input as a probability and draw it anew for every batch.
        image_shape: height and width of inputs that are pictures, which augmentation needs.
        quiet: report nothing; for a second network beside the run's own.
        name: of the network, for messages.
        callbacks: more listeners, such as probes; they come before the ones that restore the best weights.

    Raises:
        TrainingError: the settings do not fit the task or the rows; the loss is not finite.
    """
    batch_size = settings.rows_a_batch(len(training))
    check_fits(network, task, training, settings, batch_size)
    trainee = Backpropagation(
        network,
        task,
        settings,
        generator_for(seed, "finetuning", "dropout", device=training.inputs.device),
        n_batches=-(-len(training) // batch_size),
        freeze=freeze,
        n_rows=len(training),
        class_weights=class_weights(settings.class_weights, task, training, network.config.n_outputs),
    )
    shown = [] if quiet else [Reporter(), ProgressBar("fine-tuning", "validation/error")]
    progress = fit(
        trainee,
        training,
        epochs=settings.epochs,
        batch_size=batch_size,
        generator=generator_for(seed, "finetuning", "order"),
        validation=validation,
        callbacks=[*callbacks, *_stops(trainee, settings), *shown],
        transform=batch_changes(
            settings.augmentation,
            image_shape,
            fresh,
            seed,
            training.inputs.device,
            "finetuning",
            "finetuning",
        ),
        name=name,
    )
    network.requires_grad_(True).eval()
    return progress


def check_fits(
    network: MLP, task: Task, training: Rows, settings: FinetuningSettings, batch_size: int
) -> None:
    """Raise a TrainingError unless the settings fit the task and the rows."""
    check_targets(loss_of(task, settings.loss), training)
    if settings.monitors_a_score and task not in ("multiclass", "binary"):
        raise TrainingError(
            f"finetuning.monitor: a {task} task has no {settings.monitor}; take validation/loss"
        )
    if network.config.normalisation == "batch" and (batch_size == 1 or len(training) % batch_size == 1):
        raise TrainingError(
            f"mlp.normalisation: batch needs 2 rows in every batch; {len(training)} rows in batches of "
            f"{batch_size} leave one alone: change finetuning.batch_size, or take layer"
        )


def _stops(trainee: Backpropagation, settings: FinetuningSettings) -> list[Callback]:
    s = settings
    found: list[Callback] = []
    if s.keep_best:
        found.append(KeepBest(trainee.network, s.monitor, s.patience, s.minimum_change, s.monitors_a_score))
    if s.schedule == "plateau":
        found.append(lower_on_plateau(trainee, s))
    return [*found, *budget_of(s)]


def lower_on_plateau(trainee: HasRate, settings: FinetuningSettings) -> ReduceOnPlateau:
    """Return what lowers a trainee's rate by the settings of the schedule `plateau`."""
    s = settings
    return ReduceOnPlateau(
        trainee,
        s.monitor,
        s.plateau_factor or 0.1,
        s.plateau_patience or 5,
        s.minimum_change,
        s.monitors_a_score,
    )


def budget_of(settings: FinetuningSettings) -> list[Callback]:
    """Return what stops after so many steps or minutes, if the settings say so."""
    if settings.max_steps is None and settings.max_minutes is None:
        return []
    return [Budget(settings.max_steps, settings.max_minutes)]
