import pytest
import torch

from layerwise.models import Recurrent, RecurrentConfig
from layerwise.training.diagnostics import train_long_range_memory
from layerwise.training.diagnostics.long_range_memory import gradient_by_step, sample_first_symbol_task


def test_the_class_is_the_first_symbol_and_the_rest_says_nothing():
    symbols, classes = sample_first_symbol_task(4000, 5, 4, torch.Generator().manual_seed(0))
    assert torch.equal(symbols[:, 0], classes)
    assert set(symbols[:, 0].tolist()) == {0, 1, 2, 3}
    assert set(symbols[:, 1:].flatten().tolist()) == {4, 5}
    for k in range(4):
        assert float((symbols[classes == k, 1:] == 4).float().mean()) == pytest.approx(0.5, abs=0.04)


def test_the_gradient_by_step_is_that_of_finite_differences():
    shape = RecurrentConfig(cell="gru", n_symbols=6, hidden_size=5, n_outputs=4)
    network = Recurrent(shape, torch.Generator().manual_seed(0)).double()
    symbols, classes = sample_first_symbol_task(1, 4, 4, torch.Generator().manual_seed(1))
    found = gradient_by_step(network, symbols, classes)
    inputs, h = torch.eye(6, dtype=torch.float64)[symbols], 1e-6
    for step in range(4):
        differences = []
        for k in range(6):
            losses = []
            for sign in (1, -1):
                moved = inputs.clone()
                moved[0, step, k] += sign * h
                losses.append(torch.nn.functional.cross_entropy(network.read(moved), classes))
            differences.append((losses[0] - losses[1]) / (2 * h))
        assert float(found[step]) == pytest.approx(float(torch.stack(differences).norm()), rel=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gated_nets_keep_what_a_plain_one_forgets(seed):
    given = {"length": 60, "updates": 120, "hidden_size": 32, "seed": seed}
    plain, gated = train_long_range_memory("rnn", **given), train_long_range_memory("lstm", **given)
    assert gated.accuracy > 0.99
    assert plain.accuracy < 0.6
    # What reaches the first step, as a fraction of the last step's: vanished, and not.
    assert plain.gradients[0] / plain.gradients[-1] < 1e-9
    assert gated.gradients[0] / gated.gradients[-1] > 1e-3
