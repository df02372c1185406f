from .columns import (
    DATE_PARTS as DATE_PARTS,
    PAIR_PARTS as PAIR_PARTS,
    class_text as class_text,
    class_texts as class_texts,
    days_since_1970 as days_since_1970,
)
from .encoded_columns import EncodedColumn as EncodedColumn, TableEncoding as TableEncoding
from .leaks import Leak as Leak, find_leaks as find_leaks
from .many_values import (
    ID_FRACTION as ID_FRACTION,
    MIN_DISTINCT as MIN_DISTINCT,
    is_named_as_id as is_named_as_id,
)
from .preprocessor import (
    example_rows as example_rows,
    fit_preprocessor as fit_preprocessor,
    load_preprocessor as load_preprocessor,
    preprocess_rows as preprocess_rows,
    save_preprocessor as save_preprocessor,
    tensors_of as tensors_of,
    with_rows_of as with_rows_of,
)
from .protocol import LabelledPreprocessor as LabelledPreprocessor, Preprocessor as Preprocessor
from .summaries import (
    OTHERS as OTHERS,
    columns_for_summary as columns_for_summary,
    image_features as image_features,
    summarized_columns as summarized_columns,
)
from .table_encoding import (
    decode as decode,
    encode as encode,
    encode_parts as encode_parts,
    fit_encoding as fit_encoding,
    known_rows as known_rows,
    unlearnable_columns as unlearnable_columns,
)
from .targets import (
    derive_columns as derive_columns,
    far_from_others as far_from_others,
    positive_class as positive_class,
    robust_location as robust_location,
    row_weights as row_weights,
    target_column as target_column,
)
