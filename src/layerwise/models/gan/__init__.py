"""The two players of an adversarial game."""

from layerwise.models.gan.discriminator import Discriminator, DiscriminatorConfig
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.models.gan.outputs import OutputBlock

__all__ = ["Discriminator", "DiscriminatorConfig", "Generator", "GeneratorConfig", "OutputBlock"]
