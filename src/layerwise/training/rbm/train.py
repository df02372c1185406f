"""Train one restricted Boltzmann machine, watched by what says whether it learns the rows' distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import field_validator
from torch import Tensor

from layerwise.checkpointing.state import Progress
from layerwise.data.tensors import Description, Rows, SparseRows
from layerwise.data.transforms.binarization import binarise_freshly
from layerwise.models.rbm.pseudo_likelihood import log_pseudo_likelihood
from layerwise.models.rbm.rbm import RBM, HiddenKind, RBMConfig, VisibleKind
from layerwise.models.rbm.units.base import UnitsError
from layerwise.models.rbm.units.mixed import UnitBlock, unit_blocks
from layerwise.training.autoencoder.reconstruction_history import stages_of_machine
from layerwise.training.callbacks.base import Callback, Reporter
from layerwise.training.callbacks.progress_bar import ProgressBar
from layerwise.training.callbacks.stopping import KeepBest
from layerwise.training.loop import fit
from layerwise.training.rbm.contrastive_divergence import ContrastiveDivergence
from layerwise.training.rbm.pretraining import Pretrained
from layerwise.training.rbm.ratings import RatingsMonitor
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings
from layerwise.utils.config import setting
from layerwise.utils.random_streams import generator_for

# What may choose an epoch.
SCORE = "validation/pseudo_likelihood"


class MachineSettings(ContrastiveDivergenceSettings):
    """One machine's shape and training."""

    n_hidden: int = setting(500, "hidden units", "", ge=1)
    visible: Literal["auto", "bernoulli", "gaussian", "softmax", "counts", "mixed"] = setting(
        "auto", "the inputs' units; auto: by the columns' kinds"
    )
    hidden: HiddenKind = setting("bernoulli", "the hidden units; nrelu: noisy rectified linear ones")
    hidden_group: int = setting(
        0, "units of each group of which one is on; 0: no groups", "", "hidden: bernoulli, nrelu", ge=0
    )
    learn_variance: bool = setting(
        False,
        "Gaussian units learn their variances; else 1",
        "columns of a table",
        "units that are not Gaussian",
    )
    epochs: int = setting(20, "passes over the training rows", "100 and more for likelihoods", ge=1)
    batch_size: int = setting(100, "rows a step", "10 to 100", ge=1)
    gaussian_learning_rate: float = setting(
        0.01, "r where there are Gaussian units (Hinton 2010, section 13.2)", "0.001 to 0.1, centred", gt=0
    )
    monitor: str | None = setting(
        None, "what chooses the epoch that is kept: validation/pseudo_likelihood; null: the last epoch"
    )
    patience: int | None = setting(
        None, "stop after so many epochs without gain in monitor; null: never", "", "monitor: null", ge=1
    )
    watched_rows: int = setting(
        50, "training and validation rows whose pseudo-likelihood is taken each epoch; 0: none", "", ge=0
    )

    @field_validator("monitor")
    @classmethod
    def _says_something_about_the_likelihood(cls, monitor: str | None) -> str | None:
        if monitor in (None, SCORE):
            return monitor
        assert monitor is not None
        if "reconstruction" in monitor:
            raise ValueError(
                "a machine is not chosen by its reconstruction error, which can fall while the likelihood does too; "
                f"choose by {SCORE}"
            )
        raise ValueError(f"'{monitor}' cannot choose an epoch; known: {SCORE}")


class MachineMonitor(Callback):
    """Measure after each epoch what reconstruction does not show.

    `pseudo_likelihood` is exact on a sample of rows, in nats a row. `validation/free_energy_gap` is the mean free
    energy of validation rows less that of training rows: it grows while the machine learns the training rows by
    heart (Hinton 2010, section 6). `norm/...` are Euclidean norms of the parameters.

    Args:
        rbm: the machine.
        training: (n, n_visible) a sample of the training rows.
        validation: (n, n_visible) a sample of the validation rows.
        watched_rows: how many of each have their pseudo-likelihood taken.
    """

    def __init__(self, rbm: RBM, training: Tensor, validation: Tensor | None, watched_rows: int) -> None:
        self.rbm, self.samples, self.watched_rows = rbm, {"train": training}, watched_rows
        if validation is not None:
            self.samples["validation"] = validation

    def measure_epoch(self, progress: Progress) -> Mapping[str, float]:
        """Return the epoch's figures."""
        found: dict[str, float] = {}
        for role, rows in self.samples.items():
            if self.watched_rows:
                values = log_pseudo_likelihood(self.rbm, rows[: self.watched_rows])
                found[f"{role}/pseudo_likelihood"] = float(values.mean())
        if "validation" in self.samples:
            energies = {role: float(self.rbm.free_energy(rows).mean()) for role, rows in self.samples.items()}
            found["validation/free_energy_gap"] = energies["validation"] - energies["train"]
        for name, value in self.rbm.named_parameters():
            found[f"norm/{name.rpartition('.')[2]}"] = float(value.norm())
        return found


def machine_config(columns: Description, settings: MachineSettings, n_classes: int = 0) -> RBMConfig:
    """Return the shape of a machine for prepared rows, with label units at the end if there are classes.

    Raises:
        UnitsError: the columns do not fit the visible units asked for.
    """
    n_visible = columns.n_inputs + n_classes
    shared: dict[str, Any] = {
        "n_hidden": settings.n_hidden,
        "hidden": settings.hidden,
        "hidden_group": settings.hidden_group,
        "learn_variance": settings.learn_variance,
    }
    kinds = {block.kind for block in columns.blocks}
    visible: VisibleKind
    if settings.visible != "auto":
        visible = settings.visible
    elif kinds == {"count"}:
        visible = "counts"
    elif kinds == {"binary"} or columns.image_shape:
        visible = "bernoulli"
    else:
        visible = "gaussian" if kinds == {"real"} else "mixed"
        if kinds == {"categorical"} and all(b.stop - b.start == len(b.categories) for b in columns.blocks):
            visible = "softmax"
    groups = tuple(block.stop - block.start for block in columns.blocks)
    if not n_classes and visible != "mixed":
        return RBMConfig(
            n_visible=n_visible, visible=visible, groups=groups * (visible == "softmax"), **shared
        )
    if visible == "counts":
        raise UnitsError("label units cannot stand beside counts")
    blocks: tuple[UnitBlock, ...]
    if visible == "bernoulli" or visible == "gaussian":
        blocks = (UnitBlock(kind=visible, size=columns.n_inputs),)
    else:
        blocks = unit_blocks(columns.blocks)
    if n_classes:
        blocks += (UnitBlock(kind="softmax", size=n_classes, groups=(n_classes,), rest=(False,)),)
    return RBMConfig(n_visible=n_visible, visible="mixed", blocks=blocks, **shared)


def _some(rows: Rows | SparseRows, most: int, generator: torch.Generator) -> Tensor:
    picked = torch.randperm(len(rows), generator=generator)[:most]
    return rows[picked].inputs


def train_machine(
    rbm: RBM,
    training: Rows | SparseRows,
    validation: Rows | SparseRows | None,
    settings: MachineSettings,
    seed: int,
    *,
    fresh: bool = False,
    name: str = "rbm",
    ratings: RatingsMonitor | None = None,
) -> Pretrained:
    """Train a machine in place.

    Args:
        rbm: the machine.
        training: inputs (n, n_visible); targets are not read.
        validation: rows that are measured and not learnt from.
        settings: how.
        seed: of the run.
        fresh: read each input as a probability and draw it anew for every batch.
        name: of the metrics and of the streams of random numbers.
        ratings: measures held-out ratings; the epoch of the least error is kept.

    Returns:
        Its history under `name`, and one training row's reconstructions at four stages.

    Raises:
        UnitsError: rows or settings do not fit the units.
        TrainingError: a figure is not finite; the message names the epoch and the likely cure.
    """
    device = rbm.weight.device
    real = any(kind == "gaussian" for kind in (rbm.config.visible, *(b.kind for b in rbm.config.blocks)))
    rbm.start_from(training.inputs if isinstance(training, Rows) else training.column_sums())
    chosen = settings
    if real:
        # Gaussian units need a far smaller rate (Hinton 2010, section 13.2).
        fall = (settings.final_learning_rate or 0) / settings.learning_rate
        final = None if settings.final_learning_rate is None else fall * settings.gaussian_learning_rate
        change = {"learning_rate": settings.gaussian_learning_rate, "final_learning_rate": final}
        chosen = settings.model_copy(update=change)
    counted = rbm.config.visible == "counts"
    watched = 0 if counted or ratings or (real and rbm.config.hidden == "nrelu") else settings.watched_rows
    if settings.monitor and not (watched and validation is not None):
        raise UnitsError(f"{settings.monitor} is not measured here; leave monitor: null")
    pick = generator_for(seed, name, "watched")
    samples = [None if rows is None else _some(rows, 1000, pick) for rows in (training, validation)]
    assert samples[0] is not None
    stages = stages_of_machine(rbm, samples[0][0].clone())
    callbacks: list[Callback] = [
        MachineMonitor(rbm, samples[0], samples[1], watched),
        Reporter(f"{name}/"),
        ProgressBar(f"training {name}", "train/reconstruction"),
        stages,
    ]
    if ratings is not None:
        callbacks.insert(0, ratings)
        callbacks.append(KeepBest(rbm, "validation/rmse", settings.patience))
    elif settings.monitor is not None:
        callbacks.append(KeepBest(rbm, settings.monitor, settings.patience, higher_is_better=True))
    progress = fit(
        ContrastiveDivergence(rbm, chosen, generator_for(seed, name, "states", device=device)),
        training,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        generator=generator_for(seed, name, "order"),
        validation=validation,
        callbacks=callbacks,
        transform=binarise_freshly(seed, device, name) if fresh else None,
        name=name,
    )
    return Pretrained({name: progress.history}, stages.kept, stages.row, progress.seconds)
