"""Figures of networks and data: each function returns a Matplotlib figure and shows or writes nothing."""

from layerwise.evaluation.plots.comparison import plot_importances, plot_metric_comparison
from layerwise.evaluation.plots.images import (
    plot_features,
    plot_image_rows,
    plot_images,
    plot_reconstructions,
    plot_samples,
)
from layerwise.evaluation.plots.latent import plot_heat_map, plot_latent_map
from layerwise.evaluation.plots.supervised import (
    plot_calibration,
    plot_confusion_matrix,
    plot_label_errors,
    plot_predicted_vs_true,
    plot_roc_and_pr_curves,
)
from layerwise.evaluation.plots.tables import plot_marginals, plot_note, plot_table_reconstructions
from layerwise.evaluation.plots.training import (
    plot_grid_scores,
    plot_label_efficiency,
    plot_learning_curves,
    plot_long_range_memory,
)

__all__ = [
    "plot_calibration",
    "plot_confusion_matrix",
    "plot_features",
    "plot_grid_scores",
    "plot_heat_map",
    "plot_image_rows",
    "plot_images",
    "plot_importances",
    "plot_label_efficiency",
    "plot_label_errors",
    "plot_latent_map",
    "plot_learning_curves",
    "plot_long_range_memory",
    "plot_marginals",
    "plot_metric_comparison",
    "plot_note",
    "plot_predicted_vs_true",
    "plot_reconstructions",
    "plot_roc_and_pr_curves",
    "plot_samples",
    "plot_table_reconstructions",
]
