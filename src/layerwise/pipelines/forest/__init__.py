"""The forest pipeline."""

from layerwise.pipelines.forest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
