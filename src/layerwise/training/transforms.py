"""What is done to the inputs of each batch before a step."""

from __future__ import annotations

import torch

from layerwise.data import ImageShape
from layerwise.data.transforms import (
    AugmentationSettings,
    Compose,
    make_augmentation,
    make_dynamic_binarization,
)
from layerwise.training.plan import TrainingError, Transform


def make_batch_transform(
    augmentation: AugmentationSettings,
    image_shape: ImageShape | None,
    dynamic_binarization: bool,
    seed: int,
    device: torch.device,
    consumer: str,
    key: str,
) -> Transform | None:
    """Return what is done to each batch: images are augmented, then pixels are binarized; None for nothing.

    Args:
        augmentation: how images are changed.
        image_shape: of inputs that are images; None for a table.
        dynamic_binarization: read each input as the probability of a 1 and sample it anew for each batch.
        seed: of the run.
        device: of the batches.
        consumer: the name of the random streams.
        key: the top-level parameter that holds `augmentation`, for messages.

    Raises:
        TrainingError: rows of a table cannot be augmented.
    """
    steps: list[Transform] = []
    if augmentation.chosen:
        if image_shape is None:
            raise TrainingError(
                f"{key}.augmentation is for images, and these rows are a table; "
                f"switch off {', '.join(augmentation.chosen)}"
            )
        steps.append(make_augmentation(augmentation, image_shape, seed, device, consumer))
    if dynamic_binarization:
        steps.append(make_dynamic_binarization(seed, device, consumer))
    if len(steps) < 2:
        return steps[0] if steps else None
    return Compose(steps)
