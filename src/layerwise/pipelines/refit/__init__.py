"""The last training of a network, on all rows."""

from layerwise.pipelines.refit.pipeline import create_pipeline

__all__ = ["create_pipeline"]
