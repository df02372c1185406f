from . import ranks as ranks
from .config import (
    ByRule as ByRule,
    Choice as Choice,
    Config as Config,
    check_number as check_number,
    describe_value as describe_value,
    has_rule as has_rule,
    holds_bool as holds_bool,
    nearest as nearest,
    setting as setting,
)
from .devices import (
    DeviceError as DeviceError,
    Precision as Precision,
    captures_steps as captures_steps,
    check_device as check_device,
    choose_device as choose_device,
    count_gpus as count_gpus,
    dense_parameters as dense_parameters,
    inference_device as inference_device,
    keeps_rows_in_files as keeps_rows_in_files,
    lack_of_memory as lack_of_memory,
    matmul_autocast as matmul_autocast,
)
from .errors import (
    FolderError as FolderError,
    ResumeError as ResumeError,
    UserError as UserError,
    first_line as first_line,
)
from .metric_names import MetricNames as MetricNames
from .progress_lines import LongWork as LongWork, ProgressLines as ProgressLines
from .random_streams import (
    derive_seed as derive_seed,
    numpy_rng as numpy_rng,
    sampled_rows as sampled_rows,
    torch_rng as torch_rng,
)
from .registry import Registered as Registered, Registry as Registry
from .run_context import (
    Compute as Compute,
    collected_reports as collected_reports,
    current_checkpoint_store as current_checkpoint_store,
    current_reports as current_reports,
    flush_reports as flush_reports,
    in_trial as in_trial,
    kind_of_rows as kind_of_rows,
    look_up as look_up,
    parameter as parameter,
    problem as problem,
    project_path as project_path,
    report_metrics as report_metrics,
    report_tags as report_tags,
    run_parameters as run_parameters,
    set_checkpoint_store as set_checkpoint_store,
    set_compute as set_compute,
    set_run_context as set_run_context,
    stop_trial as stop_trial,
    trial as trial,
    trial_stopped as trial_stopped,
)
from .run_parts import (
    RUN_ID_VARIABLE as RUN_ID_VARIABLE,
    RunPart as RunPart,
    part_of_run as part_of_run,
    run_part as run_part,
)
from .secrets import (
    add_secrets as add_secrets,
    mask_secrets as mask_secrets,
    mask_secrets_in_logs as mask_secrets_in_logs,
)
from .signals import NOTICE_SECONDS as NOTICE_SECONDS, delay_signals as delay_signals
from .storage import (
    Location as Location,
    MissingFileError as MissingFileError,
    StorageError as StorageError,
    address_of as address_of,
    atomic_write as atomic_write,
    dump_fitted as dump_fitted,
    load_trusted as load_trusted,
)
from .wheel import (
    WHEELS_FOLDER as WHEELS_FOLDER,
    package_wheel as package_wheel,
    source_version as source_version,
)
