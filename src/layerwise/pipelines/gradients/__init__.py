"""The gradients pipeline."""

from layerwise.pipelines.gradients.pipeline import create_pipeline

__all__ = ["create_pipeline"]
