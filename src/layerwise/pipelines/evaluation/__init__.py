"""The evaluation pipeline."""

from layerwise.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
