"""What the rows of a GAN are conditional on: nothing, their class, a caption, or their targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from layerwise.data import DataSpec, TensorData
from layerwise.data.sources import Captions
from layerwise.training.gan.settings import GANSettings
from layerwise.training.plan import TrainingError


class Conditioning(Protocol):
    """Returns the real rows of a batch and the conditions they come under."""

    def __call__(self, batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return rows (n, d) and their conditions (n, c), or None without conditions."""


def unconditional(batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Return the batch's inputs without conditions."""
    return batch.inputs, None


def conditioning_on_targets(batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Return the batch's inputs, conditional on its targets: the given images of paired ones."""
    return batch.inputs, batch.targets


def build_image_condition(
    training: TensorData, columns: DataSpec, settings: GANSettings
) -> tuple[Callable[[TensorData], Tensor] | None, Captions | None]:
    """Return the function from a batch to its conditions (n, c), and the captions if it uses them.

    Raises:
        TrainingError: the settings ask for classes, and the task has none.
    """
    if settings.condition == "none" or (settings.condition == "auto" and columns.task != "multiclass"):
        return None, None
    assert training.targets is not None
    if columns.task != "multiclass":
        raise TrainingError(
            f"gan.condition: {settings.condition} is for classes, and the task is {columns.task}"
        )
    if settings.condition != "caption":
        return lambda batch: one_hot(_classes(batch), columns.n_outputs).to(batch.inputs.dtype), None
    assert columns.image_shape is not None
    captions = Captions.fit(training.inputs, training.targets, columns.class_names, columns.image_shape)
    for caption in settings.captions:
        captions.parse(caption)
    return lambda batch: captions.condition(captions.describe(batch.inputs, _classes(batch))), captions


def _classes(batch: TensorData) -> Tensor:
    assert batch.targets is not None
    return batch.targets


def sample_conditions(training_conditions: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Return n of the training conditions (m, c), drawn with replacement."""
    return training_conditions[
        torch.randint(len(training_conditions), (n,), generator=rng, device=rng.device)
    ]
