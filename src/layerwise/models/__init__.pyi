from .calibrated import CalibratedConfig as CalibratedConfig, CalibratedNetwork as CalibratedNetwork
from .diagram import mermaid as mermaid
from .ensemble import EnsembleConfig as EnsembleConfig, combine_members as combine_members
from .estimator import (
    EstimatorConfig as EstimatorConfig,
    EstimatorNetwork as EstimatorNetwork,
    fit_estimator as fit_estimator,
    fit_models as fit_models,
    model_scores as model_scores,
)
from .io import load_network as load_network, save_network as save_network
from .kinds import goes_both_ways as goes_both_ways, register_network as register_network
from .layers import (
    ACTIVATION_CHOICES as ACTIVATION_CHOICES,
    ACTIVATIONS as ACTIVATIONS,
    INITIALIZER_CHOICES as INITIALIZER_CHOICES,
    INITIALIZERS as INITIALIZERS,
    LEAKY_SLOPE as LEAKY_SLOPE,
    NUMBER_EMBEDDINGS as NUMBER_EMBEDDINGS,
    Activation as Activation,
    BiasInitializer as BiasInitializer,
    Initializer as Initializer,
    MaskOf as MaskOf,
    Normalization as Normalization,
    NumberEmbeddingConfig as NumberEmbeddingConfig,
    NumberEmbeddingName as NumberEmbeddingName,
    PiecewiseLinearEmbedding as PiecewiseLinearEmbedding,
    PreluSlopes as PreluSlopes,
    activation as activation,
    initialize_ as initialize_,
    quantile_edges as quantile_edges,
)
from .mlp import (
    MLP as MLP,
    MLPConfig as MLPConfig,
    check_dropout_rates as check_dropout_rates,
    for_each_layer as for_each_layer,
)
from .recommender import Recommender as Recommender, RecommenderConfig as RecommenderConfig
from .recurrent import Cell as Cell, Recurrent as Recurrent, RecurrentConfig as RecurrentConfig
from .stack import (
    Members as Members,
    MembersConfig as MembersConfig,
    is_running_statistic as is_running_statistic,
    members_forward as members_forward,
    sample_dropout_masks as sample_dropout_masks,
)
