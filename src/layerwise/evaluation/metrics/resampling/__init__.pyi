from .ranked_scores import RankedScores as RankedScores
from .resamples import (
    Resamples as Resamples,
    Statistic as Statistic,
    enough_resamples as enough_resamples,
    resampled_values as resampled_values,
    row_counts as row_counts,
)
