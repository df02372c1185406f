from .images import (
    ImageSampleMetrics as ImageSampleMetrics,
    PairErrors as PairErrors,
    SampleMetrics as SampleMetrics,
    compare_with_baseline as compare_with_baseline,
    evaluate_image_samples as evaluate_image_samples,
    repeat_training_mean as repeat_training_mean,
    sample_training_rows as sample_training_rows,
)
from .privacy import (
    MembershipAttack as MembershipAttack,
    Privacy as Privacy,
    attack_membership as attack_membership,
    measure_privacy as measure_privacy,
)
from .sample_quality import (
    Memorization as Memorization,
    distances as distances,
    frechet_distance_to as frechet_distance_to,
    memorization as memorization,
    nearest_distance as nearest_distance,
)
from .table_samples import (
    ColumnFidelity as ColumnFidelity,
    RowFidelity as RowFidelity,
    compare_columns as compare_columns,
    compare_rows as compare_rows,
)
from .tables import (
    associations as associations,
    detection_auc as detection_auc,
    marginal_distance as marginal_distance,
    numeric_columns as numeric_columns,
)
