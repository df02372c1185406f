from .networks import compare_networks as compare_networks
from .predictors import (
    CHAMPION_METRICS as CHAMPION_METRICS,
    MIN_ROWS as MIN_ROWS,
    ModelComparison as ModelComparison,
    compare_models as compare_models,
    which_are_seen as which_are_seen,
)
