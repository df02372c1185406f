"""The Markdown report of a GAN: its training, and the metrics of its samples."""

from collections.abc import Mapping, Sequence

from layerwise.evaluation.generative import ImageSampleMetrics, Memorization
from layerwise.evaluation.reports.markdown import table

METRICS = {
    "frechet_distance": "Frechet distance",
    "kernel_distance": "kernel distance",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "inception_score": "inception score",
    "parzen_log_prob": "Parzen (nats)",
}


def gan_report(training: str, samples: str) -> str:
    """Return the report of a GAN from the sections on its training and on its samples."""
    return f"# A generative adversarial network\n\n{training}\n\n{samples}\n"


def training_section(epochs: Sequence[Mapping[str, float]], diagnoses: Sequence[str], seconds: float) -> str:
    """Return the section on the training: the metrics of the last epoch, and what failed."""
    last = epochs[-1]
    shown = {
        "value V(D, G)": "train/value",
        "discriminator's loss": "train/discriminator_loss",
        "generator's loss": "train/generator_loss",
        "D(x)": "train/d_of_x",
        "D(G(z))": "train/d_of_g",
        "samples' diversity": "samples/diversity",
    }
    rows = [[name, f"{last[key]:.3f}"] for name, key in shown.items() if key in last]
    diagnosis = "\n".join(f"- {each}" for each in diagnoses) or "No failure was diagnosed."
    return (
        f"## Training\n\n{len(epochs)} epochs in {seconds:.0f} seconds. The last epoch:\n\n"
        + table(["metric", "value"], rows)
        + f"\n\n{diagnosis}"
    )


def image_section(sample_metrics: Mapping[str, ImageSampleMetrics], validation_error: float) -> str:
    """Return the section on images by generator, `gan` among them; the error is the feature classifier's."""
    own = sample_metrics["gan"]
    return (
        f"## Samples\n\n{own.n_generated:,} samples of the GAN against {own.n_test:,} test rows. Frechet and "
        "kernel distance, precision, recall and "
        "coverage are taken in the last hidden layer of a classifier that was trained on this problem's training rows "
        f"(validation error {validation_error:.4f}): they compare generators of this problem, and cannot be compared "
        "with metrics in another network's features.\n\n"
        + _metrics_table(sample_metrics)
        + f"\n\nThe floor of the Frechet distance is {own.frechet_floor:.4g}, that of {own.n_floor:,} training rows: "
        "so many rows of the same distribution are as far away. The kernel distance has its standard deviation over "
        "subsets of rows beside it. Precision and recall take 3 neighbours, coverage 5."
        f"\n\n{_inception_sentence(own)}"
        + f"\n\nParzen windows of standard deviation {own.parzen_sigma:g}, chosen on validation rows; standard "
        f"error {own.parzen_standard_error:.1f} nats. The estimate is there for comparison with older papers: in "
        f"so many dimensions it says little.\n\n{_memorization_sentence(own.memorization)}"
    )


def _metrics_table(sample_metrics: Mapping[str, ImageSampleMetrics]) -> str:
    head = ["generator", *METRICS.values(), "rarest class", "most frequent class"]
    lines = []
    for name, found in sample_metrics.items():
        numbers = [f"{getattr(found, key):.4g}" for key in METRICS]
        numbers[list(METRICS).index("kernel_distance")] += f" ± {found.kernel_distance_std:.2g}"
        low, high = found.inception_interval
        numbers[list(METRICS).index("inception_score")] += f" [{low:.4g}, {high:.4g}]"
        fractions = [f"{extreme(found.class_fractions):.1%}" for extreme in (min, max)]
        lines.append([name, *numbers, *fractions])
    return table(head, lines)


def _inception_sentence(found: ImageSampleMetrics) -> str:
    low, high = found.real_inception_interval
    return (
        "The inception score is taken in the same classifier, from 1 to the number of its classes, "
        f"{len(found.class_fractions)}, with a 95 % interval over splits of the rows; test rows have "
        f"{found.real_inception_score:.4g} [{low:.4g}, {high:.4g}] in splits of the same size."
    )


def _memorization_sentence(found: Memorization) -> str:
    has_copies = found.ratio < 0.7 or found.copies > 0.1
    conclusion = "some are copies of training rows" if has_copies else "no sign of copies"
    return (
        f"Memorization: the median distance to the nearest training row is {found.generated:.2f} for "
        f"samples and {found.unseen:.2f} for test rows (ratio {found.ratio:.2f}); "
        f"{found.copies:.1%} of the samples lie nearer to a training row than 99 of 100 test rows: {conclusion}."
    )
