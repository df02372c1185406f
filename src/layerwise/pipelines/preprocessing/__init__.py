"""The preprocessing pipeline: raw rows to matrices."""

from layerwise.pipelines.preprocessing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
