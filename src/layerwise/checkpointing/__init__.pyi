from .lifecycle import LAYERS as LAYERS, RunLifecycle as RunLifecycle
from .locks import tracking_lock as tracking_lock
from .resume import ResumableTraining as ResumableTraining
from .state import Progress as Progress, Stateful as Stateful
from .store import CheckpointSettings as CheckpointSettings, CheckpointStore as CheckpointStore
