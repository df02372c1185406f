"""The linear pipeline."""

from layerwise.pipelines.linear.pipeline import create_pipeline

__all__ = ["create_pipeline"]
