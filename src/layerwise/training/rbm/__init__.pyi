from .compatibility import require_useful_settings as require_useful_settings
from .contrastive_divergence import ContrastiveDivergence as ContrastiveDivergence
from .label_rbm import train_label_rbm as train_label_rbm
from .monitor import RatingsMonitor as RatingsMonitor
from .pretraining import pretrain_dbn as pretrain_dbn, pretrain_new_dbn as pretrain_new_dbn
from .rbm_settings import RBMTrainingSettings as RBMTrainingSettings
from .settings import (
    ContrastiveDivergenceSettings as ContrastiveDivergenceSettings,
    PretrainingSettings as PretrainingSettings,
    UpDownSettings as UpDownSettings,
)
from .train import fit_rbm as fit_rbm, rbm_config as rbm_config
