"""All metrics of generated images in one dict, the same for every generator of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from layerwise.evaluation.generative.sample_quality import (
    class_fractions,
    frechet_distance,
    kernel_distance,
    memorization,
    prdc,
)
from layerwise.evaluation.likelihood import parzen_log_likelihood

# Rows of neighbour searches, whose cost grows with the square, and validation rows that choose Parzen's sigma.
NEIGHBOR_ROWS, MEMORIZATION_ROWS, SIGMA_ROWS = 2000, 1000, 1000


def evaluate_image_samples(
    generated: Tensor,
    training: Tensor,
    validation: Tensor,
    test: Tensor,
    features: Callable[[Tensor], Tensor],
    classes: Callable[[Tensor], Tensor],
    n_classes: int,
) -> dict[str, Any]:
    """Return every metric of generated images (m, d) against test rows, from which no generator has learnt.

    Args:
        generated: (m, d).
        training: (n, d), in which memorized rows are looked for.
        validation: (n, d), which choose the width of the Parzen window.
        test: (n, d) real rows to compare with.
        features: maps images to the space of Frechet and kernel distance, precision, recall and coverage.
        classes: maps images to their classes (n,).
        n_classes: how many there are.
    """
    real_features, generated_features = features(test), features(generated)
    fractions = class_fractions(classes(generated), n_classes)
    window = parzen_log_likelihood(generated, validation[:SIGMA_ROWS], test)
    return {
        "frechet_distance": frechet_distance(real_features, generated_features),
        "kernel_distance": kernel_distance(real_features, generated_features),
        **asdict(prdc(real_features[:NEIGHBOR_ROWS], generated_features[:NEIGHBOR_ROWS])),
        "parzen_log_prob": window.log_likelihood,
        "parzen_standard_error": window.standard_error,
        "parzen_sigma": window.sigma,
        "class_fractions": fractions.tolist(),
        "memorization": asdict(
            memorization(training, test[:MEMORIZATION_ROWS], generated[:MEMORIZATION_ROWS])
        ),
    }


def repeat_training_mean(training: Tensor, n: int) -> Tensor:
    """Return the training rows' mean, n times: a baseline that generates a single image."""
    return training.mean(0, keepdim=True).repeat(n, 1)


def sample_training_rows(training: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Return n training rows, drawn with replacement: the metrics of a perfect generator."""
    return training[torch.randint(len(training), (n,), generator=rng, device=rng.device)]
