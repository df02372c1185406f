"""The predict pipeline: a trained model's predictions of a file's rows."""

from layerwise.pipelines.predict.pipeline import create_pipeline

__all__ = ["create_pipeline"]
