"""The gan pipeline."""

from layerwise.pipelines.gan.pipeline import create_pipeline

__all__ = ["create_pipeline"]
