from .affixes import plain_text as plain_text, trim as trim, unit_of as unit_of
from .columns import (
    NULL_WORDS as NULL_WORDS,
    ColumnReading as ColumnReading,
    are_zeros_and_ones as are_zeros_and_ones,
    cell_text as cell_text,
)
from .dates import find_date_formats as find_date_formats, parse_dates as parse_dates
from .fit import fit_reading as fit_reading
from .numbers import NumberFormat as NumberFormat, find_number_format as find_number_format
from .reading import Reading as Reading, with_tidy_names as with_tidy_names
from .row_errors import RowErrors as RowErrors, row_errors_of as row_errors_of, shown as shown
from .training import fit_columns_of as fit_columns_of, read_table as read_table, reading_of as reading_of
