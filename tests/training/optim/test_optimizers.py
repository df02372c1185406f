import math
import sys

import pytest
import torch
from torch import nn

from layerwise.training.optim import OPTIMIZERS, make_optimizer
from layerwise.training.supervised import FinetuningSettings

RATE, MU, B1, B2, RHO, EPS = 0.1, 0.9, 0.9, 0.999, 0.9, 1e-8


def trajectory(name, steps=4, **given):
    """The weights that an optimiser goes through on 1.5 w^2, from 1."""
    value = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    settings = FinetuningSettings(optimizer=name, learning_rate=RATE, **given)
    optimizer = make_optimizer(settings, [value])
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        (1.5 * value.square()).sum().backward()
        optimizer.step()
        found.append(float(value.detach()))
    return found


def by_hand(rule, steps=4):
    w, memory, found = 1.0, {}, []
    for t in range(1, steps + 1):
        w = rule(w, 3 * w, t, memory)
        found.append(w)
    return found


def sgd(w, g, t, m):
    return w - RATE * g


def momentum(w, g, t, m):
    m["v"] = MU * m.get("v", 0) + g
    return w - RATE * m["v"]


def nesterov(w, g, t, m):
    m["v"] = MU * m.get("v", 0) + g
    return w - RATE * (g + MU * m["v"])


def adagrad(w, g, t, m):
    m["s"] = m.get("s", 0) + g * g
    return w - RATE * g / (math.sqrt(m["s"]) + EPS)


def rmsprop(w, g, t, m):
    m["s"] = RHO * m.get("s", 0) + (1 - RHO) * g * g
    return w - RATE * g / (math.sqrt(m["s"]) + EPS)


def adadelta(w, g, t, m):
    m["s"] = RHO * m.get("s", 0) + (1 - RHO) * g * g
    step = math.sqrt(m.get("d", 0) + EPS) / math.sqrt(m["s"] + EPS) * g
    m["d"] = RHO * m.get("d", 0) + (1 - RHO) * step * step
    return w - RATE * step


def moments(g, t, m):
    m["m"] = B1 * m.get("m", 0) + (1 - B1) * g
    m["s"] = B2 * m.get("s", 0) + (1 - B2) * g * g
    return m["m"] / (1 - B1**t), m["s"] / (1 - B2**t)


def adam(w, g, t, m):
    first, second = moments(g, t, m)
    return w - RATE * first / (math.sqrt(second) + EPS)


def adamw(w, g, t, m):
    return adam(w - RATE * 0.02 * w, g, t, m)


def adamax(w, g, t, m):
    m["m"] = B1 * m.get("m", 0) + (1 - B1) * g
    m["u"] = max(B2 * m.get("u", 0), abs(g) + EPS)
    return w - RATE / (1 - B1**t) * m["m"] / m["u"]


def nadam(w, g, t, m):
    def mu(t):
        return B1 * (1 - 0.5 * 0.96 ** (t * 0.004))

    _, second = moments(g, t, m)
    before = m.get("p", 1.0)
    m["p"] = before * mu(t)
    ahead = mu(t + 1) * m["m"] / (1 - m["p"] * mu(t + 1)) + (1 - mu(t)) * g / (1 - m["p"])
    return w - RATE * ahead / (math.sqrt(second) + EPS)


RULES = {
    f.__name__: f for f in (sgd, momentum, nesterov, adagrad, rmsprop, adadelta, adam, adamax, adamw, nadam)
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_follows_the_equations_of_its_paper(name):
    given = {"rho": RHO, "epsilon": EPS, "momentum": MU, "weight_decay": 0.02}
    given = {key: value for key, value in given.items() if key in OPTIMIZERS[name].uses}
    # torch keeps nadam's product of momenta in float32.
    assert trajectory(name, **given) == pytest.approx(
        by_hand(RULES[name]), rel=1e-8 if name == "nadam" else 1e-10
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_steps_is_kept_and_goes_on_without_torchs_compiler(name, monkeypatch):
    whole = trajectory(name, steps=4)
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # an import of it fails
    value = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    settings, found = FinetuningSettings(optimizer=name, learning_rate=RATE), []
    kept = make_optimizer(settings, [value]).state_dict()
    for _ in range(4):
        optimizer = make_optimizer(settings, [value])
        optimizer.load_state_dict(kept)
        optimizer.zero_grad()
        (1.5 * value.square()).sum().backward()
        optimizer.step()
        found.append(float(value.detach()))
        kept = optimizer.state_dict()
    # torch loads nadam's product of momenta, a float32, as a float64.
    assert found == (pytest.approx(whole, rel=1e-8) if name == "nadam" else whole)


@pytest.mark.parametrize(
    ("optimizer", "setting", "value", "owner"),
    [
        ("adagrad", "momentum", 0.9, "momentum, nesterov"),
        ("sgd", "momentum", 0.5, "momentum, nesterov"),
        ("adam", "rho", 0.9, "rmsprop, adadelta"),
        ("sgd", "beta_1", 0.9, "adam, adamax, adamw, nadam"),
        ("momentum", "epsilon", 1e-7, "adagrad"),
        ("adam", "weight_decay", 0.01, "adamw; l2 is a penalty"),
    ],
)
def test_a_setting_that_the_optimizer_has_no_use_for_is_an_error_that_says_so(
    optimizer, setting, value, owner
):
    with pytest.raises(ValueError, match=f"optimizer {optimizer} has no use for {setting}: .*{owner}"):
        FinetuningSettings(optimizer=optimizer, **{setting: value})


def test_what_is_not_set_has_no_decay_and_a_momentum_of_nine_tenths():
    value = nn.Parameter(torch.ones(1))
    assert make_optimizer(FinetuningSettings(optimizer="adamw"), [value]).param_groups[0]["weight_decay"] == 0
    assert (
        make_optimizer(FinetuningSettings(optimizer="momentum"), [value]).param_groups[0]["momentum"] == 0.9
    )


def test_gradients_are_forgotten_or_set_to_zero_in_place():
    weight, unused = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    optimizer = make_optimizer(FinetuningSettings(), [weight, unused])
    weight.sum().backward()
    gradient = weight.grad
    optimizer.zero_grad(set_to_none=False)
    assert weight.grad is gradient
    assert gradient.tolist() == [0, 0, 0]
    optimizer.zero_grad()
    assert weight.grad is unused.grad is None
