from .greedy import PretrainingResult as PretrainingResult
from .histories import (
    InitialModel as InitialModel,
    LayerHistory as LayerHistory,
    PretrainingHistory as PretrainingHistory,
    ReconstructedRow as ReconstructedRow,
)
from .loop import evaluate as evaluate, fit as fit
from .plan import (
    CapturablePlan as CapturablePlan,
    TrainingError as TrainingError,
    TrainingPlan as TrainingPlan,
)
