import pytest

from layerwise.checkpointing import Progress
from layerwise.training.callbacks.early_stopping import EarlyStopping


def epochs_until_stop(stopping, values, progress=None):
    """Run the callback over given values of its metric; return the progress at the stop or the end."""
    progress = progress or Progress("network", None, len(values), 1)
    for value in values:
        progress.epoch += 1
        stopping.on_epoch_end(progress, {stopping.monitor: value})
        if progress.stop:
            break
    return progress


@pytest.mark.parametrize(("patience", "last", "best"), [(1, 3, 2), (2, 6, 4), (3, 10, 7)])
def test_training_stops_after_so_many_epochs_without_gain(patience, last, best):
    values = [0.9, 0.8, 0.85, 0.7, 0.75, 0.72, 0.6, 0.7, 0.7, 0.7, 0.1]
    progress = epochs_until_stop(EarlyStopping(patience=patience), values)
    assert progress.epoch == last
    assert progress.stop == f"no gain in validation/loss since epoch {best}"


def test_a_score_that_rises_does_not_stop():
    stopping = EarlyStopping("validation/accuracy", 1, higher_is_better=True)
    assert epochs_until_stop(stopping, [0.5, 0.6, 0.7]).stop == ""
    assert (stopping.best, stopping.best_epoch) == (0.7, 3)


def test_gains_up_to_min_delta_do_not_count():
    stopping = EarlyStopping(patience=2, min_delta=0.2)
    assert epochs_until_stop(stopping, [1.0, 0.9, 0.85, 0.1]).epoch == 3


def test_a_restored_patience_goes_on_where_it_was():
    first = EarlyStopping(patience=3)
    progress = epochs_until_stop(first, [0.5, 0.6])
    other = EarlyStopping(patience=3)
    other.load_state_dict(first.state_dict())
    assert epochs_until_stop(other, [0.6, 0.6, 0.6], progress).epoch == 4
