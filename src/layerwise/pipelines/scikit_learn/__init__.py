"""A model of scikit-learn in a network's place."""

from layerwise.pipelines.scikit_learn.pipeline import create_pipeline

__all__ = ["create_pipeline"]
