from .diagnosis import VANISHING_RATIO as VANISHING_RATIO
from .gradient_study import (
    GradientStudySettings as GradientStudySettings,
    Remedies as Remedies,
    RemedyResult as RemedyResult,
    Survey as Survey,
    TrialResult as TrialResult,
    remedy_trials as remedy_trials,
    run_remedies as run_remedies,
    run_survey as run_survey,
    run_trial as run_trial,
    survey_trials as survey_trials,
)
from .layer_statistics import LayerStatistics as LayerStatistics
from .long_range_memory import MemoryStudy as MemoryStudy, train_long_range_memory as train_long_range_memory
