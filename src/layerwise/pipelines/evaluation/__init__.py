"""The evaluation pipeline, and the model card at its end."""

from layerwise.pipelines.evaluation.pipeline import create_card, create_pipeline

__all__ = ["create_card", "create_pipeline"]
