from .contrastive_divergence import ContrastiveDivergence as ContrastiveDivergence
from .pretraining import (
    PretrainingResult as PretrainingResult,
    PretrainingSettings as PretrainingSettings,
    pretrain_dbn as pretrain_dbn,
    value_for_layer as value_for_layer,
)
from .ratings_monitor import RatingsMonitor as RatingsMonitor
from .settings import (
    ContrastiveDivergenceSettings as ContrastiveDivergenceSettings,
    RBMTrainingSettings as RBMTrainingSettings,
)
from .train import fit_rbm as fit_rbm, rbm_config as rbm_config
