import pytest
import torch
from helpers.small_rbms import bits, seeded, states

from layerwise.data import TensorData
from layerwise.models.rbm import DBM, RBM, DBMConfig, RBMConfig
from layerwise.training.rbm import ContrastiveDivergenceSettings
from layerwise.training.rbm.contrastive_divergence import ContrastiveDivergence
from layerwise.training.rbm.dbm import DBMTrainingSettings, DoubledContrastiveDivergence, JointTraining

N, BOTTOM, TOP = 4, 3, 2


def some_rows(n=20):
    rows = torch.bernoulli(torch.full((n, N), 0.4, dtype=torch.float64), generator=seeded(3))
    rows[:, 1] = rows[:, 0]  # what the weights have to learn
    return rows


def make_rbm(n_visible, n_hidden, seed=0):
    rbm = RBM(RBMConfig(n_visible=n_visible, n_hidden=n_hidden)).double()
    for value in rbm.parameters():
        value.normal_(0, 0.5, generator=seeded(seed))
    return rbm


def test_rows_that_count_twice_are_the_two_tied_copies_of_a_larger_rbm():
    doubled, larger = make_rbm(N, BOTTOM), make_rbm(2 * N, BOTTOM)
    larger.weight.copy_(doubled.weight.repeat(2, 1))
    larger.visible_bias.copy_(doubled.visible_bias.repeat(2))
    larger.hidden_bias.copy_(doubled.hidden_bias)
    settings = ContrastiveDivergenceSettings(learning_rate=0.3)
    plan = DoubledContrastiveDivergence(doubled, settings, seeded(1), up=2.0)
    other = ContrastiveDivergence(larger, settings, seeded(1))
    rows = some_rows()
    for _ in range(5):
        plan.training_step(TensorData(rows))
        other.training_step(TensorData(rows.repeat(1, 2)))
    torch.testing.assert_close(doubled.weight.repeat(2, 1), larger.weight)
    torch.testing.assert_close(doubled.hidden_bias, larger.hidden_bias)
    torch.testing.assert_close(plan.encode(rows), larger.hidden_mean(rows.repeat(1, 2)))


def test_hidden_units_that_count_twice_drive_the_visible_ones_as_two_copies_do():
    doubled, larger = make_rbm(N, BOTTOM), make_rbm(N, 2 * BOTTOM)
    larger.weight.copy_(doubled.weight.repeat(1, 2))
    larger.visible_bias.copy_(doubled.visible_bias)
    larger.hidden_bias.copy_(doubled.hidden_bias.repeat(2))
    plan = DoubledContrastiveDivergence(doubled, ContrastiveDivergenceSettings(), seeded(1), down=2.0)
    rows = some_rows()
    expected = larger.visible_pre_activation(larger.hidden_mean(rows))
    torch.testing.assert_close(plan.reconstruction_pre_activation(rows), expected)
    hidden = doubled.hidden_mean(rows)
    torch.testing.assert_close(plan._down(hidden, torch.empty_like(rows)), expected)


@pytest.mark.parametrize(("up", "down"), [(2.0, 1.0), (1.0, 2.0)])
def test_products_in_16_bits_double_what_those_in_32_do(up, down):
    rbm = make_rbm(N, BOTTOM).float()
    plans = [
        DoubledContrastiveDivergence(
            rbm, ContrastiveDivergenceSettings(bfloat16=short), seeded(), up=up, down=down
        )
        for short in (True, False)
    ]
    rows = some_rows().float()
    up_found, up_expected = (plan._up(rows, torch.empty(20, BOTTOM)) for plan in plans)
    torch.testing.assert_close(up_found, up_expected, atol=0.05, rtol=0)
    down_found, down_expected = (plan._down(up_expected.sigmoid(), torch.empty(20, N)) for plan in plans)
    torch.testing.assert_close(down_found, down_expected, atol=0.05, rtol=0)


def make_dbm(steps=60):
    dbm = DBM(DBMConfig(n_visible=N, hidden_sizes=(BOTTOM, TOP), mean_field_steps=steps)).double()
    for value in dbm.parameters():
        value.normal_(0, 0.7, generator=seeded(5))
    return dbm


def exact_gradient(dbm, rows):
    """The gradient of the mean over rows of the bound, with log Z summed over all states, by autograd."""
    joint = dbm.joint
    values = {name: value.detach().clone().requires_grad_() for name, value in joint.named_parameters()}
    completed = dbm.complete(rows)  # of a converged q, whose own gradient is 0

    def log_sums(u):
        x = u @ values["weight"] + values["hidden_bias"]
        return u @ values["visible_bias"] + torch.nn.functional.softplus(x).sum(1)

    bound = log_sums(completed).mean() - log_sums(states(bits(N + TOP))).logsumexp(0)
    return dict(zip(values, torch.autograd.grad(bound, values.values()), strict=True))


def exact_chains(dbm, n):
    """Hidden states of the joint RBM, sampled from its exact distribution."""
    joint = dbm.joint
    hidden = states(bits(BOTTOM))
    log_p = hidden @ joint.hidden_bias + torch.nn.functional.softplus(
        joint.visible_pre_activation(hidden)
    ).sum(1)
    return hidden[torch.multinomial(log_p.softmax(0), n, replacement=True, generator=seeded(2))]


@pytest.mark.parametrize("centered", [False, True])
def test_a_step_with_many_chains_follows_the_exact_gradient_of_the_bound(centered):
    dbm, rows, n = make_dbm(), some_rows(), 40_000
    expected, before = exact_gradient(dbm, rows), {k: v.clone() for k, v in dbm.joint.named_parameters()}
    settings = DBMTrainingSettings(
        learning_rate=1.0, momentum=0, weight_decay=0, chains=n, steps=1, centered=centered
    )
    plan = JointTraining(dbm, settings.joint(), seeded(4))
    plan.chains.start(exact_chains(dbm, n))
    plan.on_epoch_start(1)
    plan.training_step(TensorData(rows))
    change = {name: value - before[name] for name, value in dbm.joint.named_parameters()}
    if centered:
        # The centred gradient moves the biases by what the weights' offsets take (Melchior et al. 2016, section 3).
        offsets = {"visible": plan.visible_offset, "hidden": plan.hidden_offset}
        weight = (
            expected["weight"]
            - torch.outer(expected["visible_bias"], offsets["hidden"])
            - torch.outer(offsets["visible"], expected["hidden_bias"])
        )
        visible = expected["visible_bias"] - weight @ offsets["hidden"]
        hidden = expected["hidden_bias"] - offsets["visible"] @ weight
        expected = {"weight": weight, "visible_bias": visible, "hidden_bias": hidden}
    for name, gradient in expected.items():
        # Each is a mean over chains of values within [-2, 2]: a standard error of 0.01 at most.
        torch.testing.assert_close(change[name], gradient, atol=0.02, rtol=0)
        assert gradient.abs().max() > 0.05


def test_the_losses_are_those_of_the_rows_alone():
    dbm, rows = make_dbm(), some_rows()
    plan = JointTraining(dbm, DBMTrainingSettings().joint(), seeded())
    plan.on_epoch_start(1)
    found = plan.training_step(TensorData(rows))["reconstruction"]
    assert found.shape == (20,)
    measured = plan.validation_step(TensorData(rows))
    torch.testing.assert_close(measured["free_energy"], -dbm.bound(rows))
    expected = -torch.distributions.Bernoulli(dbm.reconstruct(rows)).log_prob(rows).sum(1)
    torch.testing.assert_close(measured["reconstruction"], expected)
