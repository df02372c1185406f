from .autoencoder import AutoencoderSettings as AutoencoderSettings
from .base import (
    DEFAULT_CORRUPTION_LEVELS as DEFAULT_CORRUPTION_LEVELS,
    BaseAutoencoderSettings as BaseAutoencoderSettings,
)
from .stack import SAESettings as SAESettings
