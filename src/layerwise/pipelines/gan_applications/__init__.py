"""The gan_applications pipeline."""

from layerwise.pipelines.gan_applications.pipeline import create_pipeline

__all__ = ["create_pipeline"]
