from .checks import ParameterChecksHook as ParameterChecksHook
from .environment import (
    disable_telemetry as disable_telemetry,
    pipeline_names as pipeline_names,
    run_tags as run_tags,
    top_level_keys as top_level_keys,
    tracking_uri as tracking_uri,
)
from .hook import TrackingHook as TrackingHook
from .logged_models.model_lookup import find_model as find_model
from .process import (
    ProblemHook as ProblemHook,
    ProcessHook as ProcessHook,
    collect_garbage_of_work as collect_garbage_of_work,
    collect_garbage_rarely as collect_garbage_rarely,
    collect_no_garbage_yet as collect_no_garbage_yet,
    sleep_beside_other_work as sleep_beside_other_work,
)
from .registry import move_champion as move_champion, register as register
from .runs import open_child_run as open_child_run, open_run as open_run
