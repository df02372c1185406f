"""The rbm pipeline."""

from layerwise.pipelines.rbm.pipeline import create_pipeline

__all__ = ["create_pipeline"]
