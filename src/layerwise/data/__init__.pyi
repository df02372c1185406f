from .derivations import classic_csv as classic_csv, classic_table as classic_table
from .errors import DataError as DataError
from .problem import (
    PreprocessingSettings as PreprocessingSettings,
    Problem as Problem,
    SplitSettings as SplitSettings,
)
from .reading import ReadingSettings as ReadingSettings
from .splits import (
    Split as Split,
    choose_labelled as choose_labelled,
    split_raw as split_raw,
    validate_batch_size as validate_batch_size,
)
from .tensors import (
    ColumnBlock as ColumnBlock,
    DataSpec as DataSpec,
    SparseTensorData as SparseTensorData,
    Task as Task,
    TensorData as TensorData,
    raw_columns as raw_columns,
)
