"""The gan_ring pipeline."""

from layerwise.pipelines.gan_ring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
