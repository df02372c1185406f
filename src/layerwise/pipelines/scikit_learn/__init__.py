"""A model of scikit-learn in a network's place."""

from layerwise.pipelines.scikit_learn.pipeline import FITS, create_pipeline

__all__ = ["FITS", "create_pipeline"]
