from .chunks import (
    Chunk as Chunk,
    ChunkedReader as ChunkedReader,
    extract_pixels as extract_pixels,
)
from .document_rows import document_rows as document_rows
from .files import (
    FileFormat as FileFormat,
    Limits as Limits,
    NumberColumns as NumberColumns,
    TextTable as TextTable,
    TooLargeError as TooLargeError,
    cell_of_list as cell_of_list,
    flat_object as flat_object,
    format_csv_cells as format_csv_cells,
    format_csv_line as format_csv_line,
    iter_text_tables as iter_text_tables,
    marks_file as marks_file,
    number_columns as number_columns,
    read_header as read_header,
    read_marked as read_marked,
    read_text_table as read_text_table,
    resolve_file_format as resolve_file_format,
    without_malformed as without_malformed,
    write_marked as write_marked,
)
from .loaded_rows import LoadedRows as LoadedRows
from .row_validation import (
    describe_refused as describe_refused,
    parse_targets as parse_targets,
    validate_images as validate_images,
    validate_rows as validate_rows,
)
from .settings import CellKind as CellKind, ReadingSettings as ReadingSettings
from .suggestions import (
    SuggestedSetting as SuggestedSetting,
    UnreadableError as UnreadableError,
    yaml_line as yaml_line,
)
from .table_blocks import BLOCK_ROWS as BLOCK_ROWS, TableBlocks as TableBlocks
from .typical_rows import typical_inputs as typical_inputs
