from .greedy import PretrainingResult as PretrainingResult
from .histories import (
    Epoch as Epoch,
    InitialModel as InitialModel,
    LayerHistory as LayerHistory,
    PretrainingHistory as PretrainingHistory,
    ReconstructedRow as ReconstructedRow,
    ReconstructionStage as ReconstructionStage,
    reconstructed_row as reconstructed_row,
)
from .loop import evaluate as evaluate, fit as fit
from .plan import (
    CapturablePlan as CapturablePlan,
    TrainingError as TrainingError,
    TrainingPlan as TrainingPlan,
)
