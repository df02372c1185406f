"""The finetuning pipeline."""

from layerwise.pipelines.finetuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
