"""Back-propagation through the whole stack, with the best weights by the validation rows."""

from __future__ import annotations

from layerwise.data.rows import Rows, Task
from layerwise.data.transforms import binarise_freshly
from layerwise.models.mlp import MLP
from layerwise.seeding import generator_for
from layerwise.training.backpropagation import Backpropagation, FinetuningSettings
from layerwise.training.bars import ProgressBar
from layerwise.training.callbacks import Reporter
from layerwise.training.loop import Progress, fit
from layerwise.training.stopping import KeepBest


def finetune(
    network: MLP,
    task: Task,
    training: Rows,
    validation: Rows,
    settings: FinetuningSettings,
    seed: int,
    freeze: bool = False,
    fresh: bool = False,
) -> Progress:
    """Train the network in place; it ends with the weights of its best epoch on the validation rows.

    A batch larger than the labelled rows becomes one batch of all of them.

    Args:
        network: learns in place, and ends in evaluation mode.
        freeze: train the head alone.
        fresh: read each input as a probability and draw it anew for every batch.
    """
    batch_size = min(settings.batch_size, len(training))
    trainee = Backpropagation(
        network,
        task,
        settings,
        generator_for(seed, "finetuning", "dropout", device=training.inputs.device),
        n_batches=-(-len(training) // batch_size),
        freeze=freeze,
    )
    progress = fit(
        trainee,
        training,
        epochs=settings.epochs,
        batch_size=batch_size,
        generator=generator_for(seed, "finetuning", "order"),
        validation=validation,
        callbacks=[
            KeepBest(network, settings.monitor, settings.patience, settings.minimum_change),
            Reporter(),
            ProgressBar("fine-tuning", "validation/error"),
        ],
        transform=binarise_freshly(seed, training.inputs.device, "finetuning") if fresh else None,
        name="fine-tuning",
    )
    network.requires_grad_(True).eval()
    return progress
