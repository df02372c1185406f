from .calibration import best_temperature as best_temperature, calibrate as calibrate
from .classifier import ClassifierSettings as ClassifierSettings, train_classifier as train_classifier
from .finetuning import (
    finetune as finetune,
    finetuning_device as finetuning_device,
    fit_network as fit_network,
)
from .history import FinetuningHistory as FinetuningHistory
from .losses import (
    DEFAULTS as DEFAULTS,
    LOSSES as LOSSES,
    TASKS as TASKS,
    probabilities as probabilities,
    resolve_loss as resolve_loss,
)
from .network import MLPSettings as MLPSettings, new_network as new_network
from .network_stacks import (
    GridResult as GridResult,
    GridSettings as GridSettings,
    StackHistory as StackHistory,
    rank_points as rank_points,
    train_grid as train_grid,
    train_network_stack as train_network_stack,
)
from .settings import FinetuningSettings as FinetuningSettings
