"""The Markdown report of a GAN: its training, and the metrics of its samples."""

from typing import Any

from layerwise.data import DataSpec
from layerwise.evaluation.reports.gan_tables import table_report
from layerwise.evaluation.reports.markdown import table

METRICS = {
    "frechet_distance": "Frechet distance",
    "kernel_distance": "kernel distance",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "parzen_log_prob": "Parzen (nats)",
}


def write_report(
    sample_metrics: dict[str, Any],
    gan_history: dict[str, Any],
    feature_classifier_history: dict[str, Any],
    columns: DataSpec,
) -> str:
    """Return the report of a GAN's training and of its samples."""
    parts = ["# A generative adversarial network", _training_section(gan_history)]
    if columns.image_shape is None:
        parts.append(table_report(sample_metrics, columns))
    else:
        parts.append(_image_section(sample_metrics, feature_classifier_history, columns))
    return "\n\n".join(parts) + "\n"


def _training_section(history: dict[str, Any]) -> str:
    last = history["epochs"][-1]
    shown = {
        "value V(D, G)": "train/value",
        "discriminator's loss": "train/discriminator_loss",
        "generator's loss": "train/generator_loss",
        "D(x)": "train/d_of_x",
        "D(G(z))": "train/d_of_g",
        "samples' diversity": "samples/diversity",
    }
    rows = [[name, f"{last[key]:.3f}"] for name, key in shown.items() if key in last]
    diagnosis = "\n".join(f"- {each}" for each in history["diagnoses"]) or "No failure was diagnosed."
    return (
        f"## Training\n\n{len(history['epochs'])} epochs in {history['seconds']:.0f} seconds. The last epoch:\n\n"
        + table(["metric", "value"], rows)
        + f"\n\n{diagnosis}"
    )


def _image_section(
    sample_metrics: dict[str, Any], feature_classifier_history: dict[str, Any], columns: DataSpec
) -> str:
    head = ["generator", *METRICS.values(), "rarest class", "most frequent class"]
    lines = []
    for name, found in sample_metrics.items():
        fractions = found["class_fractions"]
        lines.append(
            [
                name,
                *(f"{found[key]:.4g}" for key in METRICS),
                f"{min(fractions):.1%}",
                f"{max(fractions):.1%}",
            ]
        )
    own = sample_metrics["gan"]
    memorization = own["memorization"]
    has_copies = memorization["ratio"] < 0.7 or memorization["copies"] > 0.1
    conclusion = "some are copies of training rows" if has_copies else "no sign of copies"
    return (
        f"## Samples\n\nAgainst {columns.n_test:,} test rows. Frechet and kernel distance, precision, recall and "
        "coverage are taken in the last hidden layer of a classifier that was trained on this problem's training rows "
        f"(validation error {feature_classifier_history['validation_error']:.4f}): they compare generators of this "
        "problem, and cannot be compared with metrics in another network's features.\n\n"
        + table(head, lines)
        + f"\n\nParzen windows of standard deviation {own['parzen_sigma']:g}, chosen on validation rows; standard "
        f"error {own['parzen_standard_error']:.1f} nats. The estimate is there for comparison with older papers: in "
        "so many dimensions it says little.\n\n"
        f"Memorization: the median distance to the nearest training row is {memorization['generated']:.2f} for "
        f"samples and {memorization['unseen']:.2f} for test rows (ratio {memorization['ratio']:.2f}); "
        f"{memorization['copies']:.1%} of the samples lie nearer to a training row than 99 of 100 test rows: "
        f"{conclusion}."
    )
