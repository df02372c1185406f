from .building import build_autoencoder as build_autoencoder, select_output as select_output
from .history import AutoencoderHistory as AutoencoderHistory
from .latent_penalties import SPARSITIES as SPARSITIES
from .rating_autoencoder import train_rating_autoencoder as train_rating_autoencoder
from .reconstruction import (
    ReconstructionVariant as ReconstructionVariant,
    noise_of as noise_of,
)
from .registry import (
    AutoencoderVariant as AutoencoderVariant,
    known_variants as known_variants,
    register_variant as register_variant,
)
from .sequences import train_sequences as train_sequences
from .settings import AutoencoderSettings as AutoencoderSettings, SAESettings as SAESettings
from .stacking import (
    build_stack as build_stack,
    pretrain_layers as pretrain_layers,
    train_unrolled as train_unrolled,
)
from .train import train_autoencoder as train_autoencoder
