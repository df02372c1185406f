import pytest
import torch
from helpers.seeded import seeded
from torch.nn import functional

from layerwise.data import TensorData
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.training import evaluate, fit
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings

PLAIN = {"momentum": 0.0, "final_momentum": 0.0, "weight_decay": 0.0}


def make_rbm(n_visible=4, n_hidden=3, visible="bernoulli", seed=0, scale=0.7):
    rbm = RBM(RBMConfig(n_visible=n_visible, n_hidden=n_hidden, visible=visible)).double()
    rng = seeded(seed)
    for value in rbm.parameters():
        value.normal_(0, scale, generator=rng)
    return rbm


def rows_for(rbm, n, seed=5):
    shape = (n, rbm.config.n_visible)
    if rbm.config.visible == "gaussian":
        return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)
    return torch.rand(shape, generator=seeded(seed), dtype=torch.float64)


def plan(rbm, seed=1, **settings):
    return ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(**settings), seeded(seed))


def all_states(n):
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * n).view(-1, n)


def exact_log_likelihood(rbm, rows):
    """The mean of log p(v) over rows, by enumeration of every visible and hidden state; nats."""
    h, v = all_states(rbm.config.n_hidden), all_states(rbm.config.n_visible)

    def log_sum(v):
        joint = v @ rbm.weight @ h.t() + (v @ rbm.visible_bias)[:, None] + h @ rbm.hidden_bias
        return joint.logsumexp(1)

    return log_sum(rows).mean() - log_sum(v).logsumexp(0)


def exact_gradient(rbm, rows):
    copy = RBM(rbm.config).double().requires_grad_(True)
    copy.load_state_dict(rbm.state_dict())
    value = exact_log_likelihood(copy, rows)
    return torch.autograd.grad(value, [copy.weight, copy.visible_bias, copy.hidden_bias])


class Textbook:
    """CD-k row by row (Hinton 2002 and 2010), with the random numbers in the same order."""

    def __init__(self, rbm, rng):
        self.rbm, self.rng = rbm, rng
        self.values = [rbm.weight.clone(), rbm.visible_bias.clone(), rbm.hidden_bias.clone()]
        self.velocities = [torch.zeros_like(value) for value in self.values]

    def uniform(self, n, m):
        return torch.empty(n, m, dtype=torch.float64).uniform_(generator=self.rng)

    def step(self, rows, rate, momentum, decay, steps, sample_visible):
        W, b, c = self.values
        n, gaussian = len(rows), self.rbm.config.visible == "gaussian"
        first = torch.sigmoid(rows @ W + c)
        p = first
        for _ in range(steps):
            h = (self.uniform(*p.shape) < p).double()
            v = h @ W.t() + b
            if not gaussian:
                v = torch.sigmoid(v)
            if sample_visible and gaussian:
                v = v + torch.empty_like(v).normal_(generator=self.rng)
            elif sample_visible:
                v = (self.uniform(*v.shape) < v).double()
            p = torch.sigmoid(v @ W + c)
        gradients = [torch.zeros_like(value) for value in self.values]
        for i in range(n):
            gradients[0] += (torch.outer(rows[i], first[i]) - torch.outer(v[i], p[i])) / n
            gradients[1] += (rows[i] - v[i]) / n
            gradients[2] += (first[i] - p[i]) / n
        gradients[0] -= decay * W
        for k, gradient in enumerate(gradients):
            self.velocities[k] = momentum * self.velocities[k] + rate * gradient
            self.values[k] = self.values[k] + self.velocities[k]


def assert_same(rbm, values):
    for found, expected in zip((rbm.weight, rbm.visible_bias, rbm.hidden_bias), values, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize(
    ("steps", "given", "sample_visible"),
    [
        # The default: means for CD-1, a Gibbs chain for more steps.
        (1, None, False),
        (3, None, True),
        # What is asked for.
        (1, False, False),
        (1, True, True),
        (3, False, False),
        (3, True, True),
    ],
)
def test_updates_are_those_of_the_textbook(visible, steps, given, sample_visible):
    rbm = make_rbm(visible=visible)
    learner = plan(
        rbm,
        learning_rate=0.05,
        momentum=0.8,
        weight_decay=0.01,
        steps=steps,
        sample_visible=given,
        centered=False,
    )
    book = Textbook(rbm, seeded(1))
    rows = rows_for(rbm, 17)
    # Full batches with a short one between them: buffers of both sizes have to be right.
    for batch in (rows[:7], rows[7:14], rows[14:], rows[:7]):
        learner.training_step(TensorData(batch))
        book.step(batch, 0.05, 0.8, 0.01, steps, sample_visible)
        assert_same(rbm, book.values)


def test_whole_epochs_with_a_short_last_batch_are_those_of_the_textbook():
    rbm = make_rbm()
    rows = rows_for(rbm, 23)
    settings = {"learning_rate": 0.2, "final_learning_rate": 0.0, "momentum": 0.3, "final_momentum": 0.8}
    book, order = Textbook(rbm, seeded(1)), seeded(2)
    fit(
        plan(rbm, momentum_epochs=2, weight_decay=1e-3, **settings),
        TensorData(rows),
        epochs=5,
        batch_size=10,
        rng=seeded(2),
    )
    for rate, momentum in ((0.2, 0.3), (0.15, 0.3), (0.1, 0.8), (0.05, 0.8), (0.0, 0.8)):
        for index in torch.randperm(23, generator=order).split(10):
            book.step(rows[index], rate, momentum, 1e-3, 1, False)
    assert_same(rbm, book.values)


def test_weight_decay_acts_on_weights_and_never_on_biases():
    plain, decayed, before = make_rbm(), make_rbm(), make_rbm()
    rows = rows_for(plain, 10)
    plan(plain, learning_rate=0.1, weight_decay=0.0).training_step(TensorData(rows))
    plan(decayed, learning_rate=0.1, weight_decay=0.5).training_step(TensorData(rows))
    assert torch.equal(decayed.visible_bias, plain.visible_bias)
    assert torch.equal(decayed.hidden_bias, plain.hidden_bias)
    torch.testing.assert_close(decayed.weight, plain.weight - 0.1 * 0.5 * before.weight)


def test_the_formula_of_the_gradient_is_the_autograd_of_the_exact_likelihood():
    rbm = make_rbm()
    rows, v = all_states(4)[[1, 1, 6, 11, 15]], all_states(4)
    p = (-rbm.free_energy(v)).softmax(0)
    hidden, own = rbm.hidden_mean(rows), rbm.hidden_mean(v)
    formula = (
        rows.t() @ hidden / 5 - (p[:, None] * v).t() @ own,
        rows.mean(0) - p @ v,
        hidden.mean(0) - p @ own,
    )
    for found, expected in zip(formula, exact_gradient(rbm, rows), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sizes", [(4, 3), (6, 4)])
def test_long_chains_give_the_exact_gradient_of_the_log_likelihood_by_default(sizes):
    rbm, before = make_rbm(*sizes), make_rbm(*sizes)
    rows = all_states(sizes[0])[[0, 3, 3, 7, 9, 12, 15, 15]]
    n = 20_000 * len(rows)
    plan(rbm, learning_rate=1.0, steps=50, **PLAIN).training_step(TensorData(rows.repeat(20_000, 1)))
    exact = torch.cat([value.flatten() for value in exact_gradient(before, rows)])
    found = torch.cat(
        [(new - old).flatten() for new, old in zip(rbm.parameters(), before.parameters(), strict=True)]
    )
    # Each entry is a mean of n values within [-1, 1]: five standard errors.
    assert (found - exact).abs().max() < 5 / n**0.5
    assert functional.cosine_similarity(found, exact, dim=0) > 0.999
    assert float(found.norm() / exact.norm()) == pytest.approx(1, abs=0.02)


def test_the_states_of_each_epoch_follow_its_number_of_steps():
    # From CD-1 to CD-3: means in the first epoch, samples in the others.
    rbm = make_rbm()
    rows = rows_for(rbm, 12)
    learner = plan(rbm, learning_rate=0.1, final_steps=3, momentum=0.5, final_momentum=0.5, weight_decay=0.0)
    book, order = Textbook(rbm, seeded(1)), seeded(2)
    fit(learner, TensorData(rows), epochs=3, batch_size=6, rng=seeded(2))
    for steps in (1, 2, 3):
        for index in torch.randperm(12, generator=order).split(6):
            book.step(rows[index], 0.1, 0.5, 0.0, steps, steps > 1)
    assert_same(rbm, book.values)


def test_one_step_of_a_sampled_chain_has_the_expected_gradient_of_cd_1():
    rbm, before = make_rbm(), make_rbm()
    rows = all_states(4)[[0, 3, 7, 9]]
    plan(rbm, learning_rate=1.0, sample_visible=True, **PLAIN).training_step(
        TensorData(rows.repeat(40_000, 1))
    )
    h, v = all_states(3), all_states(4)

    def chances(mean, states):
        return (mean[:, None] * states + (1 - mean[:, None]) * (1 - states)).prod(2)

    after = chances(before.hidden_mean(rows), h) @ chances(before.visible_mean(h), v)
    up = before.hidden_mean(v)
    expected = (rows.t() @ before.hidden_mean(rows) - torch.einsum("nv,vi,vj->ij", after, v, up)) / 4
    torch.testing.assert_close(rbm.weight - before.weight, expected, rtol=0, atol=5 / 160_000**0.5)


@pytest.mark.parametrize(("steps", "sample_visible", "fraction"), [(1, False, 0.8), (3, True, 0.95)])
def test_learning_raises_the_exact_likelihood_of_unseen_rows_of_a_teacher(steps, sample_visible, fraction):
    teacher, student = make_rbm(6, 3, seed=3, scale=2.5), make_rbm(6, 4, seed=4, scale=0.01)
    # Biases that balance the weights give a teacher with several modes.
    teacher.visible_bias.copy_(-teacher.weight.sum(1) / 2)
    teacher.hidden_bias.copy_(-teacher.weight.sum(0) / 2)
    v = all_states(6)
    p = (-teacher.free_energy(v)).softmax(0)
    samples = v[torch.multinomial(p, 6000, replacement=True, generator=seeded())]
    training, unseen = samples[:4000], samples[4000:]
    student.initialize_from(training)
    independent = exact_log_likelihood(student, unseen)
    settings = {"learning_rate": 0.1, "final_learning_rate": 0.0, "weight_decay": 0.0, "sample_visible": True}
    fit(plan(student, steps=3, **settings), TensorData(training), epochs=40, batch_size=50, rng=seeded(1))
    learned, best = exact_log_likelihood(student, unseen), exact_log_likelihood(teacher, unseen)
    assert best - independent > 0.3  # nats: there is something to learn
    assert learned > independent + fraction * (best - independent)


def test_the_reported_loss_is_the_cross_entropy_of_the_reconstruction():
    rbm = make_rbm()
    rows = rows_for(rbm, 9)
    h = (
        torch.empty(9, 3, dtype=torch.float64).uniform_(generator=seeded(1)) < rbm.hidden_mean(rows)
    ).double()
    expected = functional.binary_cross_entropy(rbm.visible_mean(h), rows, reduction="none").sum(1)
    found = plan(rbm, steps=3).training_step(TensorData(rows))
    assert found.keys() == {"reconstruction"}
    torch.testing.assert_close(found["reconstruction"], expected)


def test_the_loss_stays_exact_where_a_probability_rounds_to_one():
    rbm = make_rbm()
    rbm.visible_bias.fill_(60.0)
    found = plan(rbm).training_step(TensorData(torch.zeros(1, 4, dtype=torch.float64)))["reconstruction"]
    assert 200 < float(found) < 280


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_validation_losses_are_those_of_the_mean_field_reconstruction_row_by_row(visible):
    rbm = make_rbm(visible=visible)
    rows = rows_for(rbm, 11)
    learner = plan(rbm)
    state = learner.state_dict()
    found = learner.validation_step(TensorData(rows))
    mean = rbm.reconstruct(rows)
    if visible == "bernoulli":
        expected = functional.binary_cross_entropy(mean, rows, reduction="none").sum(1)
    else:
        expected = (mean - rows).square().sum(1) / 2
    torch.testing.assert_close(found["reconstruction"], expected)
    torch.testing.assert_close(found["free_energy"], rbm.free_energy(rows))
    alone = learner.validation_step(TensorData(rows[4:5]))
    for name, values in found.items():
        assert values.shape == (11,)
        torch.testing.assert_close(alone[name][0], values[4])
    assert evaluate(learner, TensorData(rows), batch_size=4)["reconstruction"] == pytest.approx(
        float(expected.mean())
    )
    assert all(torch.equal(value, state[name]) for name, value in learner.state_dict().items())


def test_a_step_leaves_its_rows_as_they_are_and_returns_a_loss_for_each():
    rbm = make_rbm()
    rows = rows_for(rbm, 8)
    before = rows.clone()
    assert plan(rbm).training_step(TensorData(rows))["reconstruction"].shape == (8,)
    assert torch.equal(rows, before)


@pytest.mark.parametrize("new_plan", [False, True])
def test_a_loaded_state_goes_on_bit_for_bit(new_plan):
    settings = {"learning_rate": 0.1, "momentum": 0.9, "steps": 2, "sample_visible": True}
    learner = plan(make_rbm(), **settings)
    rows = rows_for(learner.rbm, 30)
    for batch in rows[:20].split(7):
        learner.training_step(TensorData(batch))
    state = learner.state_dict()
    losses = [learner.training_step(TensorData(batch))["reconstruction"] for batch in rows.split(8)]
    end = learner.state_dict()
    other = plan(make_rbm(seed=8), seed=9, **settings) if new_plan else learner
    other.load_state_dict(state)
    again = [other.training_step(TensorData(batch))["reconstruction"] for batch in rows.split(8)]
    assert all(torch.equal(one, two) for one, two in zip(losses, again, strict=True))
    assert all(torch.equal(value, end[name]) for name, value in other.state_dict().items())
    assert torch.equal(other.rbm.weight, end["weight"])
