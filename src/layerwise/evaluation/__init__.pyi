from .drift import (
    Drift as Drift,
    DriftTable as DriftTable,
    categorical_drift as categorical_drift,
    describe_drift as describe_drift,
    numeric_drift as numeric_drift,
)
