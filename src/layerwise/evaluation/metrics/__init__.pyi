from .arrays import (
    Array as Array,
    as_array as as_array,
    as_matrix as as_matrix,
    check_targets_and_scores as check_targets_and_scores,
    indicator_matrix as indicator_matrix,
    predicted_indicators as predicted_indicators,
    rank_scores as rank_scores,
    reaches_threshold as reaches_threshold,
)
from .baselines import (
    Family as Family,
    baseline_model as baseline_model,
    baseline_scores as baseline_scores,
    compare_with_baselines as compare_with_baselines,
    compare_with_constant as compare_with_constant,
    fit_baselines as fit_baselines,
    trees_pay as trees_pay,
    usual_families as usual_families,
)
from .calibration import (
    CALIBRATION_BINS as CALIBRATION_BINS,
    confidence_and_outcome as confidence_and_outcome,
    errors_if_calibrated as errors_if_calibrated,
)
from .comparison import paired_difference as paired_difference, worse_than_others as worse_than_others
from .importance import (
    MOST_COLUMNS as MOST_COLUMNS,
    Importance as Importance,
    ImportanceTable as ImportanceTable,
    most_sensitive_columns as most_sensitive_columns,
    permutation_importance as permutation_importance,
)
from .intervals import (
    ConformalIntervals as ConformalIntervals,
    CoverageError as CoverageError,
    conformal_intervals as conformal_intervals,
    effective_rows as effective_rows,
    student_factor as student_factor,
    wilson_interval as wilson_interval,
)
from .logged import (
    ChildRun as ChildRun,
    LoggedMetric as LoggedMetric,
    LoggedMetrics as LoggedMetrics,
    metric_name as metric_name,
)
from .named import MetricsByModel as MetricsByModel, NamedMetrics as NamedMetrics
from .probe import linear_probe as linear_probe
from .raw_units import (
    Smearing as Smearing,
    SmearingFactors as SmearingFactors,
    compute_raw_metrics as compute_raw_metrics,
    raw_means as raw_means,
    raw_medians as raw_medians,
    smearing_factors as smearing_factors,
)
from .supervised import (
    BOUNDED_METRICS as BOUNDED_METRICS,
    FRACTIONS_OF_ROWS as FRACTIONS_OF_ROWS,
    LOWER_IS_BETTER as LOWER_IS_BETTER,
    DecisionThreshold as DecisionThreshold,
    Metric as Metric,
    choose_threshold as choose_threshold,
    compute_metrics as compute_metrics,
)
