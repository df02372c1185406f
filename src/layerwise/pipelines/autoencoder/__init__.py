"""The autoencoder pipeline."""

from layerwise.pipelines.autoencoder.pipeline import create_pipeline

__all__ = ["create_pipeline"]
