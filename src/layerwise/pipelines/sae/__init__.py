"""The sae pipeline."""

from layerwise.pipelines.sae.pipeline import create_pipeline

__all__ = ["create_pipeline"]
