"""The dbm pipeline."""

from layerwise.pipelines.dbm.pipeline import create_pipeline

__all__ = ["create_pipeline"]
