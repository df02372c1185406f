"""All figures under one name; each function returns a Matplotlib figure and shows or writes nothing."""

from layerwise.evaluation.figures_codes import code_map, heat_map
from layerwise.evaluation.figures_images import augmentations, features, image_grid, reconstructions, samples
from layerwise.evaluation.figures_supervised import (
    calibration,
    comparison,
    confusion_matrix,
    importance_bars,
    label_errors,
    predicted_against_true,
    ranking_curves,
)
from layerwise.evaluation.figures_tables import marginals, note, table_reconstructions
from layerwise.evaluation.figures_training import few_labels, grid_scores, learning_curves, remembering

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
