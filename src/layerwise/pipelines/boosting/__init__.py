"""The boosting pipeline."""

from layerwise.pipelines.boosting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
