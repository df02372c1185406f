import copy
import math

import pytest
import torch
from helpers.seeded import seeded
from torch import nn, optim
from torch.nn import functional

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.optim import learning_rate_factor, make_optimizer, optimizers
from layerwise.training.supervised import FinetuningSettings
from layerwise.training.supervised.backpropagation import Backpropagation
from layerwise.training.supervised.losses import task_loss

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, 0.05),
    "momentum": lambda p: optim.SGD(p, 0.05, momentum=0.8),
    "nesterov": lambda p: optim.SGD(p, 0.05, momentum=0.8, nesterov=True),
    "adagrad": lambda p: optim.Adagrad(p, 0.05, eps=1e-7),
    "rmsprop": lambda p: optim.RMSprop(p, 0.05, alpha=0.95, eps=1e-7),
    "adadelta": lambda p: optim.Adadelta(p, 0.05, rho=0.95, eps=1e-7),
    "adam": lambda p: optim.Adam(p, 0.05, betas=(0.8, 0.99), eps=1e-7),
    "adamax": lambda p: optim.Adamax(p, 0.05, betas=(0.8, 0.99), eps=1e-7),
    "adamw": lambda p: optim.AdamW(p, 0.05, betas=(0.8, 0.99), eps=1e-7, weight_decay=0.01),
    "nadam": lambda p: optim.NAdam(p, 0.05, betas=(0.8, 0.99), eps=1e-7),
}
GIVEN = {
    "momentum": 0.8,
    "beta_1": 0.8,
    "beta_2": 0.99,
    "rho": 0.95,
    "epsilon": 1e-7,
    "weight_decay": 0.01,
}
SCHEDULES = ("constant", "cosine", "one_cycle", "step")


def network(**changes):
    shape = {"n_inputs": 4, "n_outputs": 3, "hidden_sizes": (6, 5), "activation": "tanh"} | changes
    return MLP(MLPConfig(**shape), seeded()).double()


def rows(n=24, task="multiclass", k=3):
    inputs = torch.randn(n, 4, generator=seeded(1), dtype=torch.float64)
    if task == "multiclass":
        return TensorData(inputs, torch.randint(0, k, (n,), generator=seeded(2)))
    values = torch.randn(n, k, generator=seeded(2), dtype=torch.float64)
    return TensorData(inputs, values if task == "regression" else (values > 0).double())


def learner(net, task="multiclass", n_batches=3, freeze=False, **settings):
    chosen = FinetuningSettings(**{"optimizer": "sgd", "learning_rate": 0.1, "epochs": 2} | settings)
    plan = Backpropagation(net, task, chosen, seeded(9), freeze)
    plan.on_train_start(Progress("network", plan, chosen.epochs, n_batches))
    plan.on_epoch_start(1)
    return plan


def weights(net):
    return [value.detach().clone() for value in net.parameters()]


@pytest.mark.parametrize(
    ("task", "k"), [("multiclass", 3), ("binary", 1), ("multilabel", 3), ("regression", 2)]
)
def test_a_step_goes_down_the_finite_difference_gradient_of_the_mean_loss(task, k):
    net, batch = network(n_outputs=k), rows(7, task, k)
    before = weights(net)
    learner(net, task, label_smoothing=0.1).training_step(batch)
    gradients = [(old - new.detach()) / 0.1 for new, old in zip(net.parameters(), before, strict=True)]
    shifted, h = network(n_outputs=k).requires_grad_(False), 1e-6
    for value, gradient in zip(shifted.parameters(), gradients, strict=True):
        flat = value.view(-1)
        for i in range(0, flat.numel(), 3):
            losses = []
            for sign in (1, -1):
                flat[i] += sign * h
                losses.append(task_loss(task, shifted(batch.inputs), batch.targets, 0.1).mean())
                flat[i] -= sign * h
            assert float(losses[0] - losses[1]) / (2 * h) == pytest.approx(
                float(gradient.view(-1)[i]), abs=1e-8
            )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_does_what_torch_does(name):
    ours, theirs = network(), network()
    uses = {use: GIVEN[use] for use in optimizers.OPTIMIZERS[name].uses}
    plan = learner(ours, optimizer=name, learning_rate=0.05, schedule="constant", **uses)
    peer = OPTIMIZERS[name](theirs.parameters())
    for index in torch.arange(24).split(10):
        batch = rows()[index]
        plan.training_step(batch)
        peer.zero_grad()
        nn.CrossEntropyLoss()(theirs(batch.inputs), batch.targets).backward()
        peer.step()
    for found, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_momentum_adds_gradients_and_multiplies_by_the_rate_at_the_end():
    value = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = make_optimizer(
        FinetuningSettings(optimizer="momentum", learning_rate=0.1, momentum=0.9), [value]
    )
    w, v = 1.0, 0.0
    for _ in range(5):
        optimizer.zero_grad()
        (value.square() * 1.5).sum().backward()
        optimizer.step()
        v = 0.9 * v + 3 * w
        w -= 0.1 * v
        assert float(value.detach()) == pytest.approx(w, rel=1e-12)


def test_nesterov_needs_a_momentum():
    with pytest.raises(ValueError, match="nesterov needs a momentum above 0"):
        FinetuningSettings(optimizer="nesterov", momentum=0.0)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("cosine", [1, (1 + math.cos(0.3 * math.pi)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0]),
        (
            "one_cycle",
            [0.04, 1, (1 + math.cos(2 / 7 * math.pi)) / 2, (1 + math.cos(9 / 14 * math.pi)) / 2, 0],
        ),
        ("step", [1, 1, 0.1, 0.01, 0.01]),
    ],
)
def test_schedules_have_their_factors(schedule, expected):
    found = [learning_rate_factor(schedule, done) for done in (0, 0.3, 0.5, 0.75, 1)]
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_step_uses_the_rate_of_its_fraction_of_all_steps(schedule):
    net = network(hidden_sizes=())
    plan = learner(net, schedule=schedule, learning_rate=0.2, epochs=4, n_batches=5)
    batch = rows()
    for step in range(20):
        before, peer = weights(net), network(hidden_sizes=())
        peer.load_state_dict(net.state_dict())
        gradient = torch.autograd.grad(
            nn.functional.cross_entropy(peer(batch.inputs), batch.targets), list(peer.parameters())
        )
        plan.training_step(batch)
        rate = 0.2 * learning_rate_factor(schedule, step / 20)
        for new, old, g in zip(net.parameters(), before, gradient, strict=True):
            torch.testing.assert_close(new.detach(), old - rate * g)


@pytest.mark.parametrize("activation", ["sigmoid", "prelu"])
def test_freezing_trains_the_head_alone(activation):
    net = network(activation=activation)
    before = copy.deepcopy(net.state_dict())
    plan = learner(net, freeze=True, optimizer="adamw", weight_decay=0.1, max_norm=0.01)
    for _ in range(3):
        plan.training_step(rows())
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]) is not name.startswith("output."), name


def test_clipping_bounds_the_norm_of_the_whole_gradient_and_keeps_its_direction():
    free, clipped, before = network(), network(), weights(network())
    learner(free).training_step(rows())
    learner(clipped, clip_norm=0.05).training_step(rows())
    moves = [
        torch.cat(
            [(old - new.detach()).flatten() / 0.1 for new, old in zip(net.parameters(), before, strict=True)]
        )
        for net in (free, clipped)
    ]
    assert moves[0].norm() > 0.1
    assert float(moves[1].norm()) == pytest.approx(0.05, rel=1e-3)
    torch.testing.assert_close(moves[1] / moves[1].norm(), moves[0] / moves[0].norm())
    unbound = network()
    learner(unbound, clip_norm=100.0).training_step(rows())
    assert all(torch.equal(a, b) for a, b in zip(free.parameters(), unbound.parameters(), strict=True))


def test_max_norm_bounds_the_weights_into_each_hidden_unit():
    net = network()
    norms = net.hidden[0].weight.detach().norm(dim=1)
    limit = float(norms.median())
    expected = net.hidden[0].weight.detach() * (limit / norms).clamp(max=1)[:, None]
    plan = learner(net, max_norm=limit, learning_rate=1e-12)
    plan.training_step(rows())
    # Units below the limit are left alone; the others keep their direction.
    torch.testing.assert_close(net.hidden[0].weight.detach(), expected, rtol=1e-5, atol=1e-8)
    plan = learner(net, max_norm=limit, learning_rate=5.0)
    for _ in range(5):
        plan.training_step(rows())
        for layer in net.hidden:
            assert layer.weight.detach().norm(dim=1).max() <= limit * (1 + 1e-6)


def test_a_step_returns_losses_and_errors_of_each_row_before_the_update():
    net, batch = network(), rows()
    expected = task_loss("multiclass", net(batch.inputs), batch.targets).detach()
    plan = learner(net)
    found = plan.training_step(batch)
    torch.testing.assert_close(found["loss"], expected)
    assert found["error"].shape == (24,)
    assert not any(values.requires_grad for values in found.values())


def test_measuring_is_without_dropout_and_changes_nothing():
    net = network(dropout=0.5, input_dropout=0.2)
    plan, batch = learner(net, label_smoothing=0.2), rows()
    plan.training_step(batch)
    state = plan.state_dict()
    found = plan.validation_step(batch)
    assert net.training
    assert all(torch.equal(value, state[name]) for name, value in plan.state_dict().items())
    expected = task_loss("multiclass", net.eval()(batch.inputs), batch.targets)
    torch.testing.assert_close(found["loss"], expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_loaded_state_goes_on_bit_for_bit(name):
    settings = {"optimizer": name, "schedule": "one_cycle", "learning_rate": 0.01, "n_batches": 4}
    first = learner(network(dropout=0.3), **settings)
    for _ in range(4):
        first.training_step(rows())
    state = first.state_dict()
    losses = [first.training_step(rows())["loss"] for _ in range(4)]
    second = learner(network(dropout=0.3), **settings)
    second.load_state_dict(state)
    again = [second.training_step(rows())["loss"] for _ in range(4)]
    assert all(torch.equal(a, b) for a, b in zip(losses, again, strict=True))
    assert all(torch.equal(value, first.state_dict()[key]) for key, value in second.state_dict().items())


def test_bfloat16_products_keep_float32_weights_and_nearly_the_same_step():
    def trained(precision):
        network = MLP(MLPConfig(n_inputs=4, n_outputs=3, hidden_sizes=(8,)), seeded())
        rows = TensorData(torch.randn(64, 4, generator=seeded(1)), torch.arange(64) % 3)
        settings = FinetuningSettings(optimizer="sgd", learning_rate=0.1, precision=precision)
        plan = Backpropagation(network, "multiclass", settings, seeded(2))
        plan.on_epoch_start(1)
        loss = plan.training_step(rows)["loss"]
        return loss, network.hidden[0].weight

    (loss, weight), (rounded_loss, rounded_weight) = trained("float32"), trained("bfloat16")
    assert rounded_weight.dtype == rounded_loss.dtype == torch.float32
    assert not torch.equal(weight, rounded_weight)
    # bfloat16 keeps 8 bits of a number, so a loss near 1 is right to about 1 %.
    assert torch.allclose(loss, rounded_loss, atol=0.02)
    assert torch.allclose(weight, rounded_weight, atol=1e-3)


def test_the_training_rows_loss_compares_with_the_validation_rows_and_the_objective_stands_beside_it():
    net, batch = network(), rows()
    weights = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    settings = FinetuningSettings(label_smoothing=0.2, class_weights=(1.0, 2.0, 0.5))
    plan = Backpropagation(net, "multiclass", settings, seeded(9), class_weights=weights)
    _, losses = plan.cost(batch)
    torch.testing.assert_close(losses["loss"], plan.validation_step(batch)["loss"])
    log_p = net(batch.inputs).log_softmax(1)
    targets = functional.one_hot(batch.targets, 3) * 0.8 + 0.2 / 3
    torch.testing.assert_close(losses["objective"], -(targets * log_p).sum(1) * weights[batch.targets])
    assert not losses["objective"].requires_grad


def test_without_smoothing_and_class_weights_the_loss_is_the_objective():
    _, losses = learner(network()).cost(rows())
    assert "objective" not in losses
