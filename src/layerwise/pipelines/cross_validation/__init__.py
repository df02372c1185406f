"""Cross-validation: the nodes of a pipeline run anew on each fold."""

from layerwise.pipelines.cross_validation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
