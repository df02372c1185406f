"""The `gan_applications` pipeline: GANs on pairs of images, and an HTML demo."""

from layerwise.pipelines.gan_applications.pipeline import create_pipeline

__all__ = ["create_pipeline"]
