from .anomaly import attribute_scores as attribute_scores, score_columns as score_columns
from .asking import (
    answer_chunk as answer_chunk,
    answer_rows as answer_rows,
    valid_rows as valid_rows,
    validate_chunk as validate_chunk,
)
from .base import (
    Task as Task,
    TaskError as TaskError,
    find_task as find_task,
    offered_tasks as offered_tasks,
    register_task as register_task,
)
from .encode import latent_size as latent_size
from .log_probability import log_partition_of as log_partition_of
from .options import (
    offered_columns as offered_columns,
    parse_settings as parse_settings,
    task_options as task_options,
)
from .raw_rows import as_written as as_written, raw_frame as raw_frame
from .sampling.sample import condition_rows as condition_rows
