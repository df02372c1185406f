"""The `gan_ring` pipeline: GANs on the Gaussian-ring toy."""

from layerwise.pipelines.gan_ring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
