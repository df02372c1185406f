from .augmentation import AugmentationSettings as AugmentationSettings, make_augmentation as make_augmentation
from .binarization import (
    Compose as Compose,
    binarize_once as binarize_once,
    make_dynamic_binarization as make_dynamic_binarization,
)
from .corruption import (
    CORRUPTIONS as CORRUPTIONS,
    Corruption as Corruption,
    CorruptionName as CorruptionName,
    column_groups as column_groups,
)
from .image_pairs import (
    MAX_VELOCITY as MAX_VELOCITY,
    bouncing_videos as bouncing_videos,
    corrupt_images as corrupt_images,
    downsample as downsample,
    upsample as upsample,
)
from .scalers import (
    FITTED_TYPES as FITTED_TYPES,
    CategoryEncoder as CategoryEncoder,
    NumberScaler as NumberScaler,
    as_plain_values as as_plain_values,
    from_plain_values as from_plain_values,
)
