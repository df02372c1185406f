from .base_rates import base_rate as base_rate
from .models import (
    Family as Family,
    baseline_model as baseline_model,
    baseline_scores as baseline_scores,
    compare_with_baselines as compare_with_baselines,
    compare_with_constant as compare_with_constant,
    fit_baselines as fit_baselines,
    trees_pay as trees_pay,
    usual_families as usual_families,
)
