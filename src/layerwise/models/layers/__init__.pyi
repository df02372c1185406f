from .activations import (
    ACTIVATION_CHOICES as ACTIVATION_CHOICES,
    ACTIVATIONS as ACTIVATIONS,
    LEAKY_SLOPE as LEAKY_SLOPE,
    Activation as Activation,
    PreluSlopes as PreluSlopes,
    activation as activation,
    keep_largest as keep_largest,
)
from .batch_norm import BatchNorm1d as BatchNorm1d, BatchNorm2d as BatchNorm2d
from .dropout import (
    DropConnect as DropConnect,
    Dropout as Dropout,
    MaskOf as MaskOf,
    dropout_mask as dropout_mask,
)
from .initializers import (
    INITIALIZER_CHOICES as INITIALIZER_CHOICES,
    INITIALIZERS as INITIALIZERS,
    BiasInitializer as BiasInitializer,
    Initializer as Initializer,
    initialize_ as initialize_,
    initialize_bias_ as initialize_bias_,
    initialize_layers_ as initialize_layers_,
)
from .modules import (
    Conv2d as Conv2d,
    ConvTranspose2d as ConvTranspose2d,
    ImagesToRows as ImagesToRows,
    Linear as Linear,
    Normalization as Normalization,
    RowsToImages as RowsToImages,
    normalization as normalization,
)
from .number_embeddings import (
    NUMBER_EMBEDDINGS as NUMBER_EMBEDDINGS,
    NumberEmbeddingConfig as NumberEmbeddingConfig,
    NumberEmbeddingName as NumberEmbeddingName,
    PeriodicEmbedding as PeriodicEmbedding,
    PiecewiseLinearEmbedding as PiecewiseLinearEmbedding,
    make_number_embedding as make_number_embedding,
    quantile_edges as quantile_edges,
    squash as squash,
)
