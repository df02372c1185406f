"""All that is said of generated pictures, in one dict: the same for every generator of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from layerwise.evaluation.generative.sample_quality import (
    class_shares,
    fidelity,
    frechet_distance,
    kernel_distance,
    memorisation,
)
from layerwise.evaluation.likelihood.parzen import parzen

# Rows of neighbour searches, whose cost grows with the square, and validation rows that choose Parzen's sigma.
NEIGHBOURHOOD, REMEMBERED, CHOOSING = 2000, 1000, 1000


def judge_pictures(
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
    shares = class_shares(classes(generated), n_classes)
    window = parzen(generated, validation[:CHOOSING], test)
    return {
        "frechet_distance": frechet_distance(real_features, own_features),
        "kernel_distance": kernel_distance(real_features, own_features),
        **asdict(fidelity(real_features[:NEIGHBOURHOOD], own_features[:NEIGHBOURHOOD])),
        "parzen_log_prob": window.log_likelihood,
        "parzen_standard_error": window.standard_error,
        "parzen_sigma": window.sigma,
        "class_shares": shares.tolist(),
        "memory": asdict(memorisation(training, test[:REMEMBERED], generated[:REMEMBERED])),
    }


def mean_of(training: Tensor, n: int) -> Tensor:
    """Return the training rows' mean, n times: the generator that knows one picture."""
    return training.mean(0, keepdim=True).repeat(n, 1)


def some_of(training: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return n training rows: what a perfect generator would give, as far as so many rows can tell."""
    return training[torch.randint(len(training), (n,), generator=generator)]
