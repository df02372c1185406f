from .base import (
    BaseAutoencoder as BaseAutoencoder,
    LatentVariableModel as LatentVariableModel,
    LayerChain as LayerChain,
)
from .convolutional import (
    ConvolutionalAutoencoder as ConvolutionalAutoencoder,
    ConvolutionalConfig as ConvolutionalConfig,
)
from .feedforward import Autoencoder as Autoencoder, AutoencoderConfig as AutoencoderConfig
from .jacobian import (
    estimate_jacobian_norm as estimate_jacobian_norm,
    mean_jacobian_norm as mean_jacobian_norm,
)
from .passes import (
    encode_rows as encode_rows,
    reconstruct_rows as reconstruct_rows,
    reconstruction_losses as reconstruction_losses,
)
from .rating_autoencoder import (
    RatingAutoencoder as RatingAutoencoder,
    RatingAutoencoderConfig as RatingAutoencoderConfig,
)
from .sequence import SequenceAutoencoder as SequenceAutoencoder, SequenceConfig as SequenceConfig
from .stacked import (
    StackConfig as StackConfig,
    StackedAutoencoders as StackedAutoencoders,
    from_dbn as from_dbn,
    roll_up as roll_up,
    unroll as unroll,
)
from .variational import (
    VAE as VAE,
    VAEConfig as VAEConfig,
    evidence_lower_bound as evidence_lower_bound,
    importance_weighted_bound as importance_weighted_bound,
    kl_divergence as kl_divergence,
    log_weights as log_weights,
    sample_latents as sample_latents,
)
