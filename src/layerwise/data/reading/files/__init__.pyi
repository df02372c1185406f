from .containers import contents_of as contents_of, validate_file_exists as validate_file_exists
from .file_format import FileFormat as FileFormat
from .read import (
    Limits as Limits,
    TooLargeError as TooLargeError,
    iter_text_tables as iter_text_tables,
    read_header as read_header,
    read_text_table as read_text_table,
)
from .resolve import (
    number_columns as number_columns,
    resolve_file_format as resolve_file_format,
    without_malformed as without_malformed,
)
from .table import (
    TextTable as TextTable,
    typed_faults as typed_faults,
    typed_lines as typed_lines,
)
from .text.marks import (
    format_csv_cells as format_csv_cells,
    format_csv_line as format_csv_line,
    marks_file as marks_file,
    read_marked as read_marked,
    write_marked as write_marked,
)
from .text.plain import NumberColumns as NumberColumns
from .typed.json_objects import cell_of_list as cell_of_list, flat_object as flat_object
from .typed.tables import iter_typed_tables as iter_typed_tables
