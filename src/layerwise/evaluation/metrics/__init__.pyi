from .arrays import (
    Array as Array,
    as_array as as_array,
    as_matrix as as_matrix,
    check_targets_and_scores as check_targets_and_scores,
    indicator_matrix as indicator_matrix,
)
from .baselines import compare_with_baselines as compare_with_baselines, fit_baselines as fit_baselines
from .importance import (
    Importance as Importance,
    ImportanceTable as ImportanceTable,
    permutation_importance as permutation_importance,
)
from .logged import (
    LoggedMetric as LoggedMetric,
    LoggedMetrics as LoggedMetrics,
    metric_name as metric_name,
)
from .named import MetricsByModel as MetricsByModel, NamedMetrics as NamedMetrics
from .probe import linear_probe as linear_probe
from .statistics import CALIBRATION_BINS as CALIBRATION_BINS
from .supervised import (
    LOWER_IS_BETTER as LOWER_IS_BETTER,
    DecisionThreshold as DecisionThreshold,
    Metric as Metric,
    choose_threshold as choose_threshold,
    compute_metrics as compute_metrics,
)
