import pytest

from layerwise.checkpointing import Progress
from layerwise.training.callbacks import MaxSteps, MaxTime, limits


@pytest.fixture
def clock(monkeypatch):
    """A clock in seconds that the test sets."""
    now = [100.0]
    monkeypatch.setattr(limits.time, "perf_counter", lambda: now[0])
    return now


def test_training_stops_after_a_number_of_steps():
    limit, progress = MaxSteps(3), Progress("network", None, 1, 9)
    limit.on_train_start(progress)
    for _ in range(2):
        limit.on_batch_end(progress)
    assert progress.stop == ""
    limit.on_batch_end(progress)
    assert progress.stop == "3 steps done"


def test_restored_steps_are_counted():
    first, other, progress = MaxSteps(3), MaxSteps(3), Progress("network", None, 1, 9)
    for _ in range(2):
        first.on_batch_end(progress)
    other.load_state_dict(first.state_dict())
    other.on_batch_end(progress)
    assert progress.stop == "3 steps done"


def test_training_stops_after_a_number_of_minutes(clock):
    limit, progress = MaxTime(0.5), Progress("network", None, 1, 9)
    limit.on_train_start(progress)
    clock[0] += 29
    limit.on_batch_end(progress)
    assert progress.stop == ""
    clock[0] += 1
    limit.on_batch_end(progress)
    assert progress.stop == "0.5 minutes are over"


def test_the_time_between_a_checkpoint_and_its_resumption_does_not_count(clock):
    first, other, progress = MaxTime(0.5), MaxTime(0.5), Progress("network", None, 1, 9)
    first.on_train_start(progress)
    clock[0] += 20
    state = first.state_dict()
    clock[0] += 1000
    other.on_train_start(progress)
    other.load_state_dict(state)
    clock[0] += 9
    other.on_batch_end(progress)
    assert progress.stop == ""
    clock[0] += 1
    other.on_batch_end(progress)
    assert progress.stop == "0.5 minutes are over"


def test_the_first_reason_to_stop_stays(clock):
    steps, minutes, progress = MaxSteps(1), MaxTime(0.5), Progress("network", None, 1, 9)
    minutes.on_train_start(progress)
    clock[0] += 60
    for limit in (steps, minutes):
        limit.on_batch_end(progress)
    assert progress.stop == "1 steps done"
