from .drift import (
    Drift as Drift,
    DriftTable as DriftTable,
    SampledNumbers as SampledNumbers,
    categorical_drift as categorical_drift,
    describe_drift as describe_drift,
    numeric_drift as numeric_drift,
)
from .limits import LimitError as LimitError, beyond_limits as beyond_limits
from .segments import (
    Segment as Segment,
    SegmentTable as SegmentTable,
    describe_segments as describe_segments,
    make_segments as make_segments,
    measure_segments as measure_segments,
)
