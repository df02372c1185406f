import pytest
import torch
from torch import nn

from layerwise.checkpointing import Progress
from layerwise.training.callbacks import KeepBestWeights, best_epoch_callbacks
from layerwise.training.callbacks.early_stopping import EarlyStopping


def run(values, monitor="validation/loss", patience=None, **settings):
    """Run the callbacks over given values of a metric; the network's weight is the epoch's number."""
    network = nn.Linear(1, 1, bias=False)
    callbacks = best_epoch_callbacks(network, monitor, patience, **settings)
    progress = Progress("network", None, len(values), 1)
    for callback in callbacks:
        callback.on_train_start(progress)
    for value in values:
        progress.epoch += 1
        with torch.no_grad():
            network.weight.fill_(progress.epoch)
        for callback in callbacks:
            callback.on_epoch_end(progress, {monitor: value, "train/loss": -value})
        if progress.stop:
            break
    for callback in callbacks:
        callback.on_train_end(progress)
    return callbacks[0], progress, int(network.weight.item())


def test_the_weights_of_the_best_epoch_come_back():
    keep, progress, weight = run([0.9, 0.4, 0.2, 0.3, 0.8])
    assert (keep.best_epoch, weight, keep.best) == (3, 3, 0.2)
    assert (progress.epoch, progress.best_epoch) == (5, 3)
    assert progress.stop == ""


def test_without_patience_training_never_stops():
    _, progress, weight = run([0.1] + [0.9] * 50)
    assert (progress.epoch, weight) == (51, 1)


@pytest.mark.parametrize(("patience", "last", "best"), [(1, 3, 2), (2, 6, 4), (3, 10, 7)])
def test_with_patience_training_stops_and_the_best_weights_come_back(patience, last, best):
    # Gains at epochs 1, 2, 4 and 7: the gaps grow, and the last one ends even the longest patience.
    values = [0.9, 0.8, 0.85, 0.7, 0.75, 0.72, 0.6, 0.7, 0.7, 0.7, 0.1]
    _, progress, weight = run(values, patience=patience)
    assert (progress.epoch, weight) == (last, best)
    assert progress.stop == f"no gain in validation/loss since epoch {best}"


def test_an_equal_value_is_no_gain_and_the_first_of_equals_is_kept():
    keep, progress, weight = run([0.5, 0.5, 0.5, 0.5], patience=3)
    assert (keep.best_epoch, weight, progress.epoch) == (1, 1, 4)


def test_a_gain_has_to_be_larger_than_min_delta():
    falling = [1.0, 0.95, 0.9, 0.85]
    assert run(falling)[2] == 4
    # Measured from the best so far, three small gains make a large one.
    assert run(falling, min_delta=0.12)[2] == 4
    assert run(falling, min_delta=0.12, patience=2)[1].epoch == 3
    assert run(falling, min_delta=0.2)[2] == 1


@pytest.mark.parametrize("worst", [0.0, -5.0])
def test_a_score_is_better_when_it_is_higher(worst):
    keep, progress, weight = run(
        [worst, 0.6, 0.8, 0.7, 0.75], "validation/accuracy", higher_is_better=True, patience=2
    )
    assert (keep.best_epoch, weight, progress.epoch) == (3, 3, 5)
    assert keep.best == 0.8
    assert progress.stop == "no gain in validation/accuracy since epoch 3"


def test_negative_losses_are_better_when_they_are_lower():
    assert run([-1.0, -3.0, -2.0])[2] == 2


def test_nan_is_never_the_best():
    assert run([float("nan"), 0.5, float("nan")])[2] == 2


def test_the_kept_weights_are_a_copy():
    network = nn.Linear(1, 1, bias=False)
    keep = KeepBestWeights(network)
    progress = Progress("network", None, 1, 1, epoch=1)
    with torch.no_grad():
        network.weight.fill_(1)
    keep.on_epoch_end(progress, {"validation/loss": 1.0})
    with torch.no_grad():
        network.weight.fill_(2)
    keep.on_train_end(progress)
    assert network.weight.item() == 1


def test_a_network_that_was_never_evaluated_keeps_its_weights():
    network = nn.Linear(2, 2)
    before = network.weight.clone()
    KeepBestWeights(network).on_train_end(Progress("network", None, 1, 1))
    assert torch.equal(network.weight, before)


@pytest.mark.parametrize("kind", [KeepBestWeights, EarlyStopping])
def test_a_metric_that_is_not_measured_is_named_with_those_that_are(kind):
    callback = (
        EarlyStopping("validation/los") if kind is EarlyStopping else kind(nn.Linear(1, 1), "validation/los")
    )
    with pytest.raises(KeyError, match="'validation/los' is not measured; measured: train/loss"):
        callback.on_epoch_end(Progress("network", None, 1, 1, epoch=1), {"train/loss": 1.0})


def test_a_restored_state_has_the_best_weights_epoch_and_score():
    keep, _, _ = run([0.9, 0.2, 0.3])
    network = nn.Linear(1, 1, bias=False)
    other = KeepBestWeights(network)
    other.load_state_dict(keep.state_dict())
    assert (other.best, other.best_epoch) == (0.2, 2)
    other.on_train_end(Progress("network", None, 1, 1))
    assert network.weight.item() == 2
