from .diagnosis import VANISHING_RATIO as VANISHING_RATIO
from .gradient_study import (
    GradientStudySettings as GradientStudySettings,
    has_improved as has_improved,
    remedy_trials as remedy_trials,
    run_trial as run_trial,
    survey_trials as survey_trials,
)
from .layer_statistics import LayerStatistics as LayerStatistics
from .long_range_memory import train_long_range_memory as train_long_range_memory
