import pytest
import torch
from torch import nn

from layerwise.checkpointing import Progress
from layerwise.training.callbacks import AverageWeights


def run(fraction, epochs, stop_after=None, state=None, start=0):
    """Run the callback; the network's weight is the epoch's number squared."""
    network = nn.Linear(1, 1, bias=False)
    average, progress = AverageWeights(network, fraction), Progress("network", None, epochs, 1)
    if state is not None:
        average.load_state_dict(state)
    for epoch in range(start + 1, (stop_after or epochs) + 1):
        progress.epoch = epoch
        with torch.no_grad():
            network.weight.fill_(epoch**2)
        average.on_epoch_end(progress, {})
    return network.weight.item(), average.state_dict()


@pytest.mark.parametrize(
    ("fraction", "epochs", "averaged"),
    [(0.3, 10, (8, 9, 10)), (0.5, 5, (3, 4, 5)), (0.01, 10, (10,)), (1.0, 3, (1, 2, 3)), (0.2, 1, (1,))],
)
def test_the_mean_of_the_last_epochs_takes_the_weights_place(fraction, epochs, averaged):
    weight, _ = run(fraction, epochs)
    assert weight == pytest.approx(sum(k**2 for k in averaged) / len(averaged))


def test_before_the_last_epoch_the_weights_are_their_own():
    assert run(0.5, 10, stop_after=9)[0] == 81


@pytest.mark.parametrize("stop_after", [3, 7, 9])
def test_a_training_that_goes_on_has_the_same_mean(stop_after):
    _, state = run(0.5, 10, stop_after=stop_after)
    assert run(0.5, 10, state=state, start=stop_after)[0] == run(0.5, 10)[0]
