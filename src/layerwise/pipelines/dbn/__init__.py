"""The dbn pipeline."""

from layerwise.pipelines.dbn.pipeline import create_pipeline

__all__ = ["create_pipeline"]
