"""The predict pipeline."""

from layerwise.pipelines.predict.pipeline import create_pipeline

__all__ = ["create_pipeline"]
