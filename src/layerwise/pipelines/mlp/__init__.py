"""The mlp pipeline."""

from layerwise.pipelines.mlp.pipeline import create_pipeline

__all__ = ["create_pipeline"]
