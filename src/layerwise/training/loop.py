"""The one loop: epochs, batches, callbacks, stopping.

A `TrainingPlan` is what can be trained: it offers a step on a batch and returns named, per-row losses. Their sums
stay on the device until the epoch ends, so that a batch never waits for a number to be read.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence

import torch

from layerwise.checkpointing import Progress, ResumableTraining
from layerwise.data import SparseTensorData, TensorData
from layerwise.training.callbacks import Callback, ProgressBar, Reporter
from layerwise.training.epoch_orders import epoch_batches
from layerwise.training.plan import TrainingError, TrainingPlan, Transform
from layerwise.training.steps import make_steps
from layerwise.training.totals import Totals


def batches(n_rows: int, batch_size: int) -> Iterator[slice]:
    """Yield the index of each batch in the order of the rows; the last one may be short."""
    for start in range(0, n_rows, batch_size):
        yield slice(start, min(start + batch_size, n_rows))


def evaluate(
    plan: TrainingPlan, rows: TensorData | SparseTensorData, batch_size: int = 1000
) -> dict[str, float]:
    """Return the exact mean over all rows, and all members, of each metric of the plan's validation step."""
    return _validation_totals(plan, rows, batch_size).means()


def _validation_totals(
    plan: TrainingPlan, rows: TensorData | SparseTensorData, batch_size: int = 1000
) -> Totals:
    totals = Totals()
    with torch.no_grad():
        for index in batches(len(rows), batch_size):
            totals.add(plan.validation_step(rows[index]))
    return totals


def fit(
    plan: TrainingPlan,
    training: TensorData | SparseTensorData,
    *,
    epochs: int,
    batch_size: int,
    rng: torch.Generator,
    validation: TensorData | SparseTensorData | None = None,
    callbacks: Sequence[Callback] = (),
    transform: Transform | None = None,
    name: str = "network",
    monitor: str = "train/loss",
    prefix: str | None = None,
    quiet: bool = False,
    start: Progress | None = None,
) -> Progress:
    """Train for a number of epochs, or until a callback sets `progress.stop`.

    After the callbacks that were given come those that every training has: one reports each epoch, one shows a bar.
    The whole of a training stands in this one function, long as it is, so that it reads from top to bottom.

    Args:
        plan: what learns.
        training: the rows it learns from.
        epochs: passes over the training rows, those of `start` included.
        batch_size: rows in a batch.
        rng: decides the order of the rows, epoch after epoch, unless the plan has orders of its own.
        validation: rows that are evaluated after each epoch and never learnt from.
        callbacks: what listens, in the order in which each event calls them.
        transform: applied to each batch's inputs before the step (dynamic binarisation, augmentation).
        name: of the layer or network, for messages and checkpoints; a run that goes on finds its checkpoint by it.
        monitor: the metric beside the progress bar.
        prefix: the metrics are reported below `<prefix>/`; None: below the name; empty: as they are.
        quiet: neither report nor show a bar; for a second network beside the run's own.
        start: the progress of an interrupted run to go on from.

    Returns:
        The progress, whose `history` has one dict of metrics an epoch: `train/...`, `validation/...`,
        `seconds`.

    Raises:
        TrainingError: an epoch's loss is not finite, or a batch is larger than the rows.
    """
    if batch_size > len(training):
        raise TrainingError(
            f"{name}: a batch of {batch_size} rows is larger than the {len(training)} training rows; "
            "lower batch_size"
        )
    if not quiet:
        below = name if prefix is None else prefix
        callbacks = [*callbacks, Reporter(f"{below}/" if below else ""), ProgressBar(name, monitor)]
    n_batches = -(-len(training) // batch_size)
    progress = start or Progress(name, plan, epochs, n_batches)
    progress.plan, progress.epochs, progress.n_batches = plan, epochs, n_batches
    resumable = ResumableTraining(progress, plan, rng, [*callbacks, transform], len(training))
    if resumable.finished:
        resumable.restore()
        return progress
    on_batch_end = [c.on_batch_end for c in callbacks if type(c).on_batch_end is not Callback.on_batch_end]
    steps = make_steps(plan, training, transform, batch_size, callbacks)
    plan.on_train_start(progress)
    for callback in callbacks:
        callback.on_train_start(progress)
    resumable.restore()
    try:
        while progress.epoch < epochs and not progress.stop:
            began = time.perf_counter()
            progress.epoch += 1
            progress.batch = 0
            for callback in callbacks:
                callback.on_epoch_start(progress)
            plan.on_epoch_start(progress.epoch)
            steps.start_epoch()
            for index in steps.ahead(epoch_batches(plan, training, batch_size, rng)):
                steps.take(index)
                progress.batch += 1
                for event in on_batch_end:
                    event(progress)
                if progress.stop:
                    break
            metrics, row_means = steps.end_epoch().named("train")
            _require_finite(metrics, name, progress.epoch)
            if validation is not None:
                measured, measured_row_means = _validation_totals(plan, validation).named("validation")
                metrics, row_means = metrics | measured, row_means | measured_row_means
                _require_finite(metrics, name, progress.epoch)  # the epoch's last update can be the fatal one
            plan.on_epoch_end(progress, row_means)
            for callback in callbacks:
                metrics |= callback.epoch_metrics(progress)
            seconds = time.perf_counter() - began
            progress.seconds += seconds
            progress.history.append({"epoch": float(progress.epoch), **metrics, "seconds": seconds})
            for callback in callbacks:
                callback.on_epoch_end(progress, metrics)
            resumable.save_if_due()
    finally:
        for callback in callbacks:
            callback.on_train_end(progress)
    resumable.mark_finished()
    return progress


def _require_finite(metrics: Mapping[str, float], name: str, epoch: int) -> None:
    for key, value in metrics.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{name}: {key} became {value} in epoch {epoch}. Likely remedies: a lower learning rate "
                "(a tenth of the present one), gradient clipping, standardised inputs"
            )
