"""Up-down training: its gradients against appendix B of Hinton, Osindero & Teh (2006), and what it does to a bound."""

import math

import pytest
import torch
from helpers import small_rbms as m
from torch.nn import functional

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.models.autoencoder import from_dbn
from layerwise.models.rbm import DBN, DBNConfig
from layerwise.models.rbm.units import UnitsError
from layerwise.training.rbm import PretrainingSettings, UpDownSettings, pretrain_dbn
from layerwise.training.rbm.up_down import UpDown, train_up_down


def make_stack(sizes=(6, 4, 3), scale=0.7, **shape):
    stack = DBN(DBNConfig(n_visible=sizes[0], hidden_sizes=sizes[1:], **shape)).double()
    for value in stack.parameters():
        value.normal_(0, scale, generator=m.seeded(4))
    return stack


def some_rows(n=40):
    """Rows of two patterns, of which each bit is turned in one of ten."""
    patterns = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 1]], dtype=torch.float64)
    chosen = patterns[torch.arange(n) % 2]
    return (chosen - (torch.rand(n, 6, generator=m.seeded(5)) < 0.1).double()).abs()


def test_an_untied_stack_encodes_and_decodes_as_the_tied_one():
    tied, untied = make_stack(), make_stack()
    untied.untie()
    rows = some_rows()
    torch.testing.assert_close(untied.encode(rows), tied.encode(rows))
    torch.testing.assert_close(untied.reconstruct(rows), tied.reconstruct(rows))
    assert set(untied.state_dict()) - set(tied.state_dict()) == {"rbms.0.recognition_weight"}


def test_an_untied_layer_of_learned_variances_sees_rows_over_them():
    tied, untied = (make_stack(visible="gaussian", learn_variance=True) for _ in range(2))
    untied.untie()
    torch.testing.assert_close(untied.encode(some_rows()), tied.encode(some_rows()))


def test_what_is_copied_of_an_untied_stack_goes_up_by_its_recognition_weights():
    stack, rows = make_stack(), some_rows()
    stack.untie()
    stack.rbm_layers()[0].recognition_weight.normal_(0, 1, generator=m.seeded(9))
    network = MLP(MLPConfig(n_inputs=6, n_outputs=1, hidden_sizes=(4, 3), activation="sigmoid")).double()
    stack.copy_to(network)
    torch.testing.assert_close(network.encode(rows), stack.encode(rows))
    unrolled = from_dbn(stack).double()
    torch.testing.assert_close(unrolled.encode(rows), stack.encode(rows), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(unrolled.reconstruct(rows), stack.reconstruct(rows), rtol=1e-6, atol=1e-6)


def test_an_untied_layer_has_no_energy():
    stack, rows = make_stack(), some_rows()
    stack.untie()
    with pytest.raises(UnitsError, match="no free energy"):
        stack.rbm_layers()[0].free_energy(rows)


@pytest.mark.parametrize("sizes", [(6, 4, 3), (6, 5, 4, 3)])
def test_the_gradients_are_those_of_the_paper(sizes):
    stack, rows = make_stack(sizes), some_rows()
    stack.untie()
    plan = UpDown(stack, UpDownSettings(epochs=1, steps=2), m.seeded())
    before = plan.rng.get_state()
    wake, sleep = plan.sample_states(rows)
    plan.rng.set_state(before)
    plan.cost(TensorData(rows))[0].backward()
    *lower, top = stack.rbm_layers()
    n = len(rows)
    expected = {}
    with torch.no_grad():
        for k, rbm in enumerate(lower):
            # "UPDATES TO GENERATIVE PARAMETERS": states above times what they do not give of the states below.
            missing = wake[k] - torch.sigmoid(wake[k + 1] @ rbm.weight.t() + rbm.visible_bias)
            expected[f"rbms.{k}.weight"] = missing.t() @ wake[k + 1] / n
            expected[f"rbms.{k}.visible_bias"] = missing.mean(0)
            # "UPDATES TO RECOGNITION/INFERENCE APPROXIMATION PARAMETERS".
            above, below = sleep[len(lower) - 1 - k], sleep[len(lower) - k]
            missing = above - torch.sigmoid(below @ rbm.recognition_weight + rbm.hidden_bias)
            expected[f"rbms.{k}.recognition_weight"] = below.t() @ missing / n
            expected[f"rbms.{k}.hidden_bias"] = missing.mean(0)
        # "UPDATES TO TOP LEVEL ASSOCIATIVE MEMORY PARAMETERS", with means of the hidden units.
        positive, negative = wake[-1], sleep[0]
        h, h_k = (torch.sigmoid(v @ top.weight + top.hidden_bias) for v in (positive, negative))
        last = f"rbms.{len(lower)}"
        expected[f"{last}.weight"] = (positive.t() @ h - negative.t() @ h_k) / n
        expected[f"{last}.visible_bias"] = (positive - negative).mean(0)
        expected[f"{last}.hidden_bias"] = (h - h_k).mean(0)
    found = {name: -value.grad for name, value in stack.named_parameters()}
    assert set(found) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)


def test_states_are_binary_but_for_the_visible_means_of_a_sleeping_stack():
    stack = make_stack((6, 5, 4, 3))
    stack.untie()
    wake, sleep = UpDown(stack, UpDownSettings(epochs=1), m.seeded()).sample_states(some_rows())
    assert [part.shape[1] for part in wake] == [6, 5, 4]
    assert [part.shape[1] for part in sleep] == [4, 5, 6]
    for part in (*wake, *sleep[:-1]):
        assert set(part.unique().tolist()) <= {0.0, 1.0}
    assert len(sleep[-1].unique()) > 2


def exact_bound(stack, rows):
    """Return the means over rows of E_q [log p(v, h) - log q(h | v)] and of log p(v), by sums over hidden states."""
    first, top = stack.rbm_layers()
    h = m.states(m.bits(4))
    log_p_h = (-top.free_energy(h)).log_softmax(0)
    down = -torch.stack([
        functional.binary_cross_entropy(
            first.visible_mean(h), row.expand(len(h), -1), reduction="none"
        ).sum(1)
        for row in rows
    ])  # fmt: skip
    up = first.hidden_mean(rows)
    log_q = torch.log(up[:, None] * h + (1 - up[:, None]) * (1 - h)).sum(2)
    joint = log_p_h + down
    return float((log_q.exp() * (joint - log_q)).sum(1).mean()), float(joint.logsumexp(1).mean())


def test_up_down_training_raises_the_exact_likelihood_and_its_bound():
    patterns = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 1], [1, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1]])
    rows, stack = (
        patterns.double().repeat(50, 1),
        DBN(DBNConfig(n_visible=6, hidden_sizes=(4, 3)), m.seeded()),
    )
    stack = stack.double()
    greedy = PretrainingSettings(epochs=15, batch_size=20, final_learning_rate=None)
    pretrain_dbn(stack, TensorData(rows), None, greedy, 0)
    bound, likelihood = exact_bound(stack, rows)
    settings = UpDownSettings(epochs=40, learning_rate=0.02)
    history, _ = train_up_down(stack, TensorData(rows), TensorData(rows), settings, 20, 0)
    better_bound, better_likelihood = exact_bound(stack, rows)
    # Of 64 states coins would give -4.2 nats, and a network that knows the four patterns -1.4.
    assert better_bound > bound + 0.3
    assert better_likelihood > likelihood + 0.3
    assert better_bound <= better_likelihood < -math.log(4)
    assert history[-1]["validation/reconstruction"] > 0
    assert not any(value.requires_grad for value in stack.parameters())


def test_pretraining_ends_with_up_down_training_where_it_is_asked_for():
    rows = TensorData(some_rows())
    settings = PretrainingSettings(epochs=1, batch_size=20, up_down={"epochs": 2})
    stack = make_stack()
    found = pretrain_dbn(stack, rows, None, settings, 0)
    assert list(found.history) == ["layer_1", "layer_2", "up_down"]
    assert len(found.history["up_down"]) == 2
    first = stack.rbm_layers()[0]
    assert stack.config.untied
    assert not torch.equal(first.recognition_weight, first.weight)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"up_down": {"epochs": 1}, "dropout": 0.5}, "dropout"),
        ({"up_down": {"steps": 5}}, "up_down.epochs: 0 has no use"),
        ({"up_down": {"epochs": 1}, "method": "none"}, "no use for up_down"),
    ],
)
def test_up_down_is_refused_where_it_has_no_use(settings, message):
    with pytest.raises(ValueError, match=message):
        PretrainingSettings(**settings)


def test_a_stack_of_one_rbm_has_nothing_to_train_up_and_down():
    settings = PretrainingSettings(epochs=1, batch_size=20, up_down={"epochs": 1})
    with pytest.raises(UnitsError, match="a stack of one RBM"):
        pretrain_dbn(make_stack((6, 3)), TensorData(some_rows()), None, settings, 0)
