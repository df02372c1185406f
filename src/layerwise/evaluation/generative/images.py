"""All metrics of generated images, the same for every generator of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor

from layerwise.evaluation.generative.inception_score import inception_scores
from layerwise.evaluation.generative.sample_quality import (
    Memorization,
    class_fractions,
    frechet_distance,
    kernel_distance,
    memorization,
    prdc,
)
from layerwise.evaluation.likelihood import parzen_log_likelihood
from layerwise.utils import Config, numpy_rng

# Rows of neighbour searches, whose cost grows with the square, and validation rows that choose Parzen's sigma.
NEIGHBOR_ROWS, MEMORIZATION_ROWS, SIGMA_ROWS = 2000, 1000, 1000


class ImageSampleMetrics(Config):
    """The metrics of generated images against test rows.

    Distances, precision, recall, density and coverage are taken in the features of a classifier, which also gives the
    `class_fractions` and the inception scores, of generated and of test rows with their intervals; `parzen_*` are of
    Parzen windows, in nats. The Frechet distance grows as rows get fewer:
    `frechet_floor` is that of `n_floor` training rows, as many as generated ones where there are so many.
    """

    n_generated: int
    n_test: int
    n_floor: int
    frechet_distance: float
    frechet_floor: float
    kernel_distance: float
    kernel_distance_std: float
    precision: float
    recall: float
    density: float
    coverage: float
    inception_score: float
    inception_interval: tuple[float, float]
    real_inception_score: float
    real_inception_interval: tuple[float, float]
    parzen_log_prob: float
    parzen_standard_error: float
    parzen_sigma: float
    class_fractions: tuple[float, ...]
    memorization: Memorization

    def metrics(self) -> dict[str, float]:
        """Return the numbers that a run logs by name."""
        unlogged = {
            "n_generated",
            "n_test",
            "n_floor",
            "kernel_distance_std",
            "parzen_standard_error",
            "parzen_sigma",
            "class_fractions",
            "inception_interval",
            "real_inception_interval",
            "memorization",
        }
        fractions = torch.tensor(self.class_fractions, device="cpu")
        return self.model_dump(exclude=unlogged) | {
            "memorization_ratio": self.memorization.ratio,
            "min_class_fraction": float(fractions.min()),
            "max_class_fraction": float(fractions.max()),
        }

    def __str__(self) -> str:
        return (
            f"Frechet distance {self.frechet_distance:.2f} (floor {self.frechet_floor:.2f}), "
            f"coverage {self.coverage:.3f}, inception score {self.inception_score:.2f} (test rows "
            f"{self.real_inception_score:.2f}), Parzen log-likelihood {self.parzen_log_prob:.1f} nats"
        )


class SampleMetrics(RootModel[dict[str, ImageSampleMetrics]]):
    """The metrics of several generators' images by the generators' names."""

    model_config = ConfigDict(frozen=True)

    def __str__(self) -> str:
        return "\n".join(f"{name}: {found}" for name, found in self.root.items())


def evaluate_image_samples(
    generated: Tensor,
    training: Tensor,
    validation: Tensor,
    test: Tensor,
    features: Callable[[Tensor], Tensor],
    probabilities: Callable[[Tensor], Tensor],
    seed: int = 0,
) -> ImageSampleMetrics:
    """Return every metric of generated images (m, d) against test rows, from which no generator has learnt.

    Precision, recall, density and coverage take at most 2,000 rows of each, and as many of one as of the other.

    Args:
        generated: (m, d).
        training: (n, d), in which memorized rows are looked for.
        validation: (n, d), which choose the width of the Parzen window.
        test: (n, d) real rows to compare with.
        features: maps images to the space of Frechet and kernel distance, precision, recall and coverage.
        probabilities: maps images to those of their classes (n, k).
        seed: of the subsets of the kernel distance and the splits of the inception score.
    """
    real_features, generated_features = features(test), features(generated)
    floor_rows = training[: len(generated)]
    kernel = kernel_distance(real_features, generated_features, numpy_rng(seed, "kernel distance"))
    generated_probabilities = probabilities(generated)
    fractions = class_fractions(generated_probabilities.argmax(1), generated_probabilities.shape[1])
    real_score, score = inception_scores(
        probabilities(test), generated_probabilities, numpy_rng(seed, "inception score")
    )
    window = parzen_log_likelihood(generated, validation[:SIGMA_ROWS], test)
    return ImageSampleMetrics(
        n_generated=len(generated),
        n_test=len(test),
        n_floor=len(floor_rows),
        frechet_distance=frechet_distance(real_features, generated_features),
        frechet_floor=frechet_distance(real_features, features(floor_rows)),
        kernel_distance=kernel.mean,
        kernel_distance_std=kernel.std,
        **asdict(prdc(real_features[:NEIGHBOR_ROWS], generated_features[:NEIGHBOR_ROWS])),
        inception_score=score.mean,
        inception_interval=(score.low, score.high),
        real_inception_score=real_score.mean,
        real_inception_interval=(real_score.low, real_score.high),
        parzen_log_prob=window.log_likelihood,
        parzen_standard_error=window.standard_error,
        parzen_sigma=window.sigma,
        class_fractions=tuple(fractions.tolist()),
        memorization=memorization(training, test[:MEMORIZATION_ROWS], generated[:MEMORIZATION_ROWS]),
    )


class PairErrors(Config):
    """The mean squared error per pixel of generated images, beside that of a baseline."""

    mse: float
    baseline_mse: float

    def __str__(self) -> str:
        return f"squared error per pixel {self.mse:.4f}, baseline {self.baseline_mse:.4f}"


def compare_with_baseline(generated: Tensor, true: Tensor, baseline: Tensor) -> PairErrors:
    """Return the errors of generated images (n, d) and of a baseline's (n, d) against the true ones (n, d)."""
    return PairErrors(
        mse=float((generated - true).square().mean()), baseline_mse=float((baseline - true).square().mean())
    )


def repeat_training_mean(training: Tensor, n: int) -> Tensor:
    """Return the training rows' mean, n times: a baseline that generates a single image."""
    return training.mean(0, keepdim=True).repeat(n, 1)


def sample_training_rows(training: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Return n training rows, drawn with replacement: the metrics of a perfect generator."""
    return training[torch.randint(len(training), (n,), generator=rng, device=rng.device)]
