from .average_weights import AverageWeights as AverageWeights
from .base import Callback as Callback, Reporter as Reporter
from .keep_best_weights import (
    KeepBestWeights as KeepBestWeights,
    best_epoch_callbacks as best_epoch_callbacks,
)
from .limits import MaxSteps as MaxSteps, MaxTime as MaxTime
from .progress_bar import ProgressBar as ProgressBar
from .reconstruction_history import (
    ReconstructionHistory as ReconstructionHistory,
    autoencoder_reconstruction_history as autoencoder_reconstruction_history,
    rbm_reconstruction_history as rbm_reconstruction_history,
)
from .reduce_on_plateau import ReduceOnPlateau as ReduceOnPlateau, plateau_callbacks as plateau_callbacks
