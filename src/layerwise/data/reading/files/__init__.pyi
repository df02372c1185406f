from .containers import contents_of as contents_of, validate_file_exists as validate_file_exists
from .file_format import FileFormat as FileFormat
from .resolve import resolve_file_format as resolve_file_format, without_malformed as without_malformed
from .table import (
    Limits as Limits,
    TextTable as TextTable,
    TooLargeError as TooLargeError,
    format_csv_line as format_csv_line,
    iter_text_tables as iter_text_tables,
    read_header as read_header,
    read_text_table as read_text_table,
)
