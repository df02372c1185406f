"""The networks of a GAN: generator and discriminator; how they learn is in `training.gan`."""

from layerwise.models.gan.discriminator import Discriminator, DiscriminatorConfig
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.models.gan.outputs import OutputBlock

__all__ = ["Discriminator", "DiscriminatorConfig", "Generator", "GeneratorConfig", "OutputBlock"]
