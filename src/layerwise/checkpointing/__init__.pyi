from .lifecycle import CONCURRENT_PIPELINES as CONCURRENT_PIPELINES, RunLifecycle as RunLifecycle
from .locks import tracking_lock as tracking_lock
from .opened_run import (
    OpenedRun as OpenedRun,
    UnfinishedNodesError as UnfinishedNodesError,
    opened_run_id as opened_run_id,
)
from .resume import ResumableTraining as ResumableTraining
from .run_directory import (
    LAYERS as LAYERS,
    MARK_TAG as MARK_TAG,
    OpenedRunError as OpenedRunError,
)
from .run_on_disk import RunOnDisk as RunOnDisk
from .state import Progress as Progress, Stateful as Stateful
from .store import CheckpointSettings as CheckpointSettings, CheckpointStore as CheckpointStore
