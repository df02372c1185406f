from .chunks import (
    Chunk as Chunk,
    ChunkedReader as ChunkedReader,
    coerce_column_types as coerce_column_types,
    extract_pixels as extract_pixels,
    format_csv_line as format_csv_line,
    text_columns as text_columns,
)
from .row_validation import (
    parse_targets as parse_targets,
    validate_images as validate_images,
    validate_rows as validate_rows,
)
from .settings import CellKind as CellKind, ReadingSettings as ReadingSettings
