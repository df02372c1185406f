"""All that is said of generated pictures, in one dict: the same for every generator of a problem."""

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
from layerwise.evaluation.likelihood.parzen import parzen

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
    """Return every measure of generated pictures (m, d) against rows that no generator has learnt from.

    Args:
        features: maps pictures to the space of Frechet and kernel distance, precision, recall and coverage.
        classes: names pictures' classes.
    """
    real_features, own_features = features(test), features(generated)
    fractions = class_fractions(classes(generated), n_classes)
    window = parzen(generated, validation[:SIGMA_ROWS], test)
    return {
        "frechet_distance": frechet_distance(real_features, own_features),
        "kernel_distance": kernel_distance(real_features, own_features),
        **asdict(prdc(real_features[:NEIGHBOR_ROWS], own_features[:NEIGHBOR_ROWS])),
        "parzen_log_prob": window.log_likelihood,
        "parzen_standard_error": window.standard_error,
        "parzen_sigma": window.sigma,
        "class_fractions": fractions.tolist(),
        "memorization": asdict(
            memorization(training, test[:MEMORIZATION_ROWS], generated[:MEMORIZATION_ROWS])
        ),
    }


def repeat_training_mean(training: Tensor, n: int) -> Tensor:
    """Return the training rows' mean, n times: the generator that knows one picture."""
    return training.mean(0, keepdim=True).repeat(n, 1)


def sample_training_rows(training: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Return n training rows: what a perfect generator would give, as far as so many rows can tell."""
    return training[torch.randint(len(training), (n,), generator=rng)]
