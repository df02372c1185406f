"""The forest_fires_classic pipeline."""

from layerwise.pipelines.forest_fires_classic.pipeline import create_pipeline

__all__ = ["create_pipeline"]
