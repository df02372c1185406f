from .greedy import PretrainingResult as PretrainingResult
from .loop import evaluate as evaluate, fit as fit
from .plan import TrainingError as TrainingError, TrainingPlan as TrainingPlan
