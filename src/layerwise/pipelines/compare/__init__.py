"""Several pipelines on the same folds."""

from layerwise.pipelines.compare.pipeline import create_pipeline

__all__ = ["create_pipeline"]
