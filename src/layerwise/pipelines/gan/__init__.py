"""The `gan` pipeline: a GAN of images or table rows, and the metrics of its samples."""

from layerwise.pipelines.gan.pipeline import create_pipeline

__all__ = ["create_pipeline"]
