"""The pretraining pipeline."""

from layerwise.pipelines.pretraining.pipeline import create_pipeline

__all__ = ["create_pipeline"]
