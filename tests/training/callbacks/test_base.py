import pytest

from layerwise.checkpointing import Progress
from layerwise.training.callbacks import Callback, Reporter
from layerwise.utils.run_context import add_listener, remove_listener


class RecordingListener:
    def __init__(self):
        self.metrics = []

    def log_metrics(self, metrics, step):
        self.metrics.append((dict(metrics), step))


@pytest.fixture
def listener():
    listener = RecordingListener()
    add_listener(listener)
    yield listener
    remove_listener(listener)


def test_an_epoch_is_reported_under_its_prefix_with_its_number_as_step(listener):
    progress = Progress("layer 1", None, 3, 1, epoch=2)
    Reporter("pretraining/layer_1/").on_epoch_end(progress, {"train/reconstruction": 61.5})
    Reporter().on_epoch_end(progress, {"validation/error": 0.25})
    assert listener.metrics == [
        ({"pretraining/layer_1/train/reconstruction": 61.5}, 2),
        ({"validation/error": 0.25}, 2),
    ]


def test_every_event_does_nothing_by_itself():
    progress, callback = Progress("layer 1", None, 3, 1), Callback()
    callback.on_train_start(progress)
    callback.on_epoch_start(progress)
    callback.on_batch_end(progress)
    callback.on_epoch_end(progress, {})
    callback.on_train_end(progress)
    assert progress == Progress("layer 1", None, 3, 1)
