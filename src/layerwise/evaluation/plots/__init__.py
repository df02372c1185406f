"""All figures under one name; each function returns a Matplotlib figure and shows or writes nothing."""

from layerwise.evaluation.plots.images import augmentations, features, image_grid, reconstructions, samples
from layerwise.evaluation.plots.latent import code_map, heat_map
from layerwise.evaluation.plots.supervised import (
    calibration,
    comparison,
    confusion_matrix,
    importance_bars,
    label_errors,
    predicted_against_true,
    ranking_curves,
)
from layerwise.evaluation.plots.tables import marginals, note, table_reconstructions
from layerwise.evaluation.plots.training import few_labels, grid_scores, learning_curves, remembering

__all__ = [
    "augmentations",
    "calibration",
    "code_map",
    "comparison",
    "confusion_matrix",
    "features",
    "few_labels",
    "grid_scores",
    "heat_map",
    "image_grid",
    "importance_bars",
    "label_errors",
    "learning_curves",
    "marginals",
    "note",
    "predicted_against_true",
    "ranking_curves",
    "reconstructions",
    "remembering",
    "samples",
    "table_reconstructions",
]
