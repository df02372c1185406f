from .base import Callback as Callback, Reporter as Reporter
from .keep_best_weights import (
    KeepBestWeights as KeepBestWeights,
    best_epoch_callbacks as best_epoch_callbacks,
)
from .limits import MaxSteps as MaxSteps, MaxTime as MaxTime
from .progress_bar import ProgressBar as ProgressBar
from .reduce_on_plateau import HasLearningRate as HasLearningRate, ReduceOnPlateau as ReduceOnPlateau
