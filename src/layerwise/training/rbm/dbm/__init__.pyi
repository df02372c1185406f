from .plans import (
    DoubledContrastiveDivergence as DoubledContrastiveDivergence,
    JointTraining as JointTraining,
)
from .settings import DBMTrainingSettings as DBMTrainingSettings
from .train import pretrain_dbm as pretrain_dbm, train_jointly as train_jointly
