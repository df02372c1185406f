from .data_spec import (
    ColumnBlock as ColumnBlock,
    DataSpec as DataSpec,
    raw_columns as raw_columns,
)
from .derivations import classic_csv as classic_csv, classic_table as classic_table
from .errors import DataError as DataError
from .folds import Folds as Folds, fold_splits as fold_splits, split_folds as split_folds
from .image_layout import (
    ImageShape as ImageShape,
    channels_of as channels_of,
    describe_shape as describe_shape,
    images_to_rows as images_to_rows,
    rows_to_images as rows_to_images,
    values_of as values_of,
    with_size as with_size,
)
from .linked_rows import RowKeys as RowKeys, row_keys as row_keys
from .problem import (
    PreprocessingSettings as PreprocessingSettings,
    Problem as Problem,
    SplitSettings as SplitSettings,
    Task as Task,
)
from .reading import ReadingSettings as ReadingSettings
from .rows import (
    HostTensorData as HostTensorData,
    SparseTensorData as SparseTensorData,
    TensorData as TensorData,
    rows_for_training as rows_for_training,
)
from .splits import (
    Split as Split,
    labelled_rows as labelled_rows,
    split_raw as split_raw,
    split_rest as split_rest,
    split_seed as split_seed,
    split_targets as split_targets,
    validate_batch_size as validate_batch_size,
)
from .target_transforms import LOG1P as LOG1P, TargetTransform as TargetTransform
from .unlabelled import (
    choose_labelled as choose_labelled,
    preprocess_unlabelled as preprocess_unlabelled,
    with_unlabelled as with_unlabelled,
)
