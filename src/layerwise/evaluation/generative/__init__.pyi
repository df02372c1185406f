from .images import (
    evaluate_image_samples as evaluate_image_samples,
    repeat_training_mean as repeat_training_mean,
    sample_training_rows as sample_training_rows,
)
from .sample_quality import (
    distances as distances,
    memorization as memorization,
    nearest_distance as nearest_distance,
)
from .tables import (
    associations as associations,
    detection_auc as detection_auc,
    marginal_distance as marginal_distance,
    numeric_columns as numeric_columns,
    synthetic_data_utility as synthetic_data_utility,
)
