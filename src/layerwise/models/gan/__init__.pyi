from .discriminator import Discriminator as Discriminator, DiscriminatorConfig as DiscriminatorConfig
from .generator import (
    Generator as Generator,
    GeneratorConfig as GeneratorConfig,
    require_divisible_by_4 as require_divisible_by_4,
)
