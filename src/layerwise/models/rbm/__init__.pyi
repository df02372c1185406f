from .dbm import (
    DBM as DBM,
    DBMConfig as DBMConfig,
    MeanFieldNetwork as MeanFieldNetwork,
    MeanFieldNetworkConfig as MeanFieldNetworkConfig,
)
from .dbn import DBN as DBN, DBNConfig as DBNConfig
from .enumeration import (
    AT_A_TIME as AT_A_TIME,
    number_of_states as number_of_states,
    rbm_sites as rbm_sites,
    slices_of_states as slices_of_states,
)
from .label_units import (
    class_log_probabilities as class_log_probabilities,
    label_block as label_block,
    sample_of_classes as sample_of_classes,
    with_labels as with_labels,
)
from .pseudo_likelihood import (
    has_pseudo_likelihood as has_pseudo_likelihood,
    log_pseudo_likelihood as log_pseudo_likelihood,
)
from .rating_predictions import rated as rated, rating_probabilities as rating_probabilities
from .rbm import (
    RBM as RBM,
    RBMConfig as RBMConfig,
)
