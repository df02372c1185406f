from .passes import (
    LEFT_OUT as LEFT_OUT,
    PART as PART,
    PART_NAMES as PART_NAMES,
    divide_rows as divide_rows,
    fit_on_sample as fit_on_sample,
    sample_rows as sample_rows,
)
from .streamed_rows import StreamedRows as StreamedRows, StreamedTable as StreamedTable
