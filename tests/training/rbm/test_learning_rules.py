"""Centring, sparsity, variances, counts: against exact answers, float64."""

import pytest
import torch
from helpers import small_rbms as m
from scipy import sparse
from torch.nn import functional

from layerwise.checkpointing import Progress
from layerwise.data import SparseTensorData, TensorData
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import UnitsError
from layerwise.training import fit
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings

CHAINS = {"data": {"chain": "data"}, "persistent": {"chain": "persistent", "chains": 30_000}}
PLAIN = {"momentum": 0.0, "final_momentum": 0.0, "weight_decay": 0.0}


def plan(rbm, seed=1, epochs=1, **settings):
    made = ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(**settings), m.seeded(seed))
    made.on_train_start(Progress("rbm", made, epochs, 1))
    return made


def some_rows(rbm):
    if m.gaussian_columns(rbm):
        rows = torch.randn(6, rbm.config.n_visible, generator=m.seeded(5), dtype=torch.float64)
        if rbm.config.visible == "mixed":
            rows[:, 2:] = 0
            rows[::2, 3] = 1
            rows[1::2, 4] = 1
        return rows
    rows = m.visible_states(rbm)[0]
    return rows[torch.randint(len(rows), (6,), generator=m.seeded(5))]


def exact_gradient(rbm, rows):
    """Autograd of the mean log-likelihood, with the partition function summed over hidden states."""
    copy = RBM(rbm.config).double()
    copy.load_state_dict(rbm.state_dict())
    copy.requires_grad_(True)
    h = m.hidden_states(rbm)
    words = m.WORDS if rbm.config.visible == "counts" else 1
    own = copy.visible_units.log_partition(copy.visible_pre_activation(h), copy.visible_bias)
    log_z = (words * (h @ copy.hidden_bias + own)).logsumexp(0)
    value = -copy.free_energy(rows).mean() - log_z
    value.backward()
    return {name: p.grad for name, p in copy.named_parameters()}


def step_taken(rbm, rows, **settings):
    before = {name: value.clone() for name, value in rbm.named_parameters()}
    plan(rbm, **{"centered": False} | settings).training_step(TensorData(rows))
    return {name: value - before[name] for name, value in rbm.named_parameters()}


@pytest.mark.parametrize("name", m.EVERY)
@pytest.mark.parametrize("chain", CHAINS)
def test_many_long_chains_give_the_exact_gradient_of_the_log_likelihood(name, chain):
    rbm = m.make_rbm(name, scale=0.5)
    rows = some_rows(rbm)
    exact = exact_gradient(rbm, rows)
    if name == "counts":
        exact["hidden_bias"] /= m.WORDS  # the step of hidden biases is by the mean length
    # The step of a unit of learnt variance is its gradient times the variance.
    exact["weight"] *= m.variances(rbm)[:, None]
    exact["visible_bias"] *= m.variances(rbm)
    repeated = rows.repeat(5000, 1)
    found = step_taken(
        rbm,
        repeated if chain == "data" else rows,
        learning_rate=1.0,
        steps=25,
        sample_visible=True,
        **CHAINS[chain],
        variance_rate_factor=1.0,
        **PLAIN,
    )
    one = torch.cat([found[key].flatten() for key in exact])
    two = torch.cat([exact[key].flatten() for key in exact])
    assert functional.cosine_similarity(one, two, dim=0) > 0.998
    assert float(one.norm() / two.norm()) == pytest.approx(1, abs=0.04)
    for key, value in exact.items():
        # 30,000 rows: five standard errors of statistics of standard deviation up to about 3.
        assert (found[key] - value).abs().max() < 0.05 + 0.05 * value.abs().max(), key


@pytest.mark.parametrize("chain", ["data", "persistent"])
def test_a_centered_step_is_the_printed_one(chain):
    rbm = m.make_rbm("bernoulli")
    rows = torch.rand(5, 4, generator=m.seeded(3), dtype=torch.float64)
    plain = m.make_rbm("bernoulli")
    settings = {
        "learning_rate": 1.0,
        "chain": chain,
        **({"chains": 9} if chain == "persistent" else {}),
        **PLAIN,
    }
    normal = step_taken(plain, rows, **settings)
    found = step_taken(rbm, rows, centered=True, **settings)
    # Melchior et al. (2016), equations 9 to 11, from the same statistics: the first offsets are the batch's means.
    mu, lam = rows.mean(0), m.make_rbm("bernoulli").hidden_mean(rows).mean(0)
    dv, dh = normal["visible_bias"], normal["hidden_bias"]
    weight = normal["weight"] - torch.outer(mu, dh) - torch.outer(dv, lam)
    torch.testing.assert_close(found["weight"], weight, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found["visible_bias"], dv - weight @ lam, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found["hidden_bias"], dh - mu @ weight, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", m.EVERY)
def test_gradients_are_centered_by_default_where_there_are_gaussian_units(name):
    rows = some_rows(m.make_rbm(name))
    ends = [step_taken(m.make_rbm(name), rows, centered=centered) for centered in (None, name in m.REAL)]
    assert all(torch.equal(value, ends[1][key]) for key, value in ends[0].items())


def test_the_centered_gradient_does_not_care_where_the_zero_of_a_number_is():
    # Shift every visible unit: v' = v + t, b' = b + t, c' = c - W t / sigma^2; a centred step commutes with the shift.
    shift = torch.tensor([3.0, -2.0], dtype=torch.float64)
    ends = []
    for moved in (False, True):
        rbm = m.make_rbm("gaussian with variances")
        rbm.visible_units.log_variance.copy_(torch.tensor([0.7, -0.9]))
        rows = some_rows(rbm)
        if moved:
            rows = rows + shift
            rbm.visible_bias += shift
            rbm.hidden_bias -= rbm.visible_units.scaled(shift) @ rbm.weight
        settings = PLAIN | {"variance_rate_factor": 0.0, "learning_rate": 0.1}
        plan(rbm, centered=True, **settings).training_step(TensorData(rows))
        if moved:
            rbm.hidden_bias += rbm.visible_units.scaled(shift) @ rbm.weight
            rbm.visible_bias -= shift
        ends.append(rbm)
    for name, value in ends[0].state_dict().items():
        torch.testing.assert_close(ends[1].state_dict()[name], value, rtol=1e-9, atol=1e-10)


def test_the_centered_gradient_does_not_care_which_state_is_called_one():
    # Flip every visible unit: v' = 1 - v, W' = -W, b' = -b, c' = c + 1.W; a centred step commutes with the flip.
    rbm, flipped = m.make_rbm("bernoulli"), m.make_rbm("bernoulli")
    flipped.weight.neg_()
    flipped.visible_bias.neg_()
    flipped.hidden_bias.add_(rbm.weight.sum(0))
    rows = some_rows(rbm)
    for one, inputs in ((rbm, rows), (flipped, 1 - rows)):
        plan(one, centered=True, learning_rate=0.5, **PLAIN).training_step(TensorData(inputs))
    torch.testing.assert_close(flipped.weight, -rbm.weight, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(flipped.visible_bias, -rbm.visible_bias, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(
        flipped.hidden_bias, rbm.hidden_bias + rbm.weight.sum(0), rtol=1e-10, atol=1e-12
    )


def test_sparsity_brings_the_mean_activation_to_its_target():
    rows = torch.rand(400, 12, generator=m.seeded(), dtype=torch.float64).round()
    found = {}
    for target in (None, 0.1):
        sparsity = {"sparsity_target": target, "sparsity_cost": 1.0} if target else {}
        rbm = RBM(RBMConfig(n_visible=12, n_hidden=10), m.seeded(1)).double()
        learner = plan(rbm, learning_rate=0.1, final_momentum=0.5, **sparsity)
        fit(learner, TensorData(rows), epochs=60, batch_size=50, rng=m.seeded(2))
        found[target] = rbm.hidden_mean(rows).mean(0)
    assert float(found[None].mean()) > 0.3
    assert (found[0.1] - 0.1).abs().max() < 0.04


def test_momentum_and_rate_change_by_epoch():
    learner = plan(
        m.make_rbm("bernoulli"),
        learning_rate=0.1,
        final_learning_rate=0.02,
        momentum=0.4,
        final_momentum=0.9,
        momentum_epochs=3,
        epochs=5,
    )
    seen = []
    for epoch in range(1, 6):
        learner.on_epoch_start(epoch)
        seen.append((learner.rate, learner.momentum))
    assert [rate for rate, _ in seen] == pytest.approx([0.1, 0.08, 0.06, 0.04, 0.02])
    assert [momentum for _, momentum in seen] == [0.4, 0.4, 0.4, 0.9, 0.9]
    constant = plan(m.make_rbm("bernoulli"), epochs=50, learning_rate=0.1)
    constant.on_epoch_start(50)
    assert constant.rate == 0.1
    single = plan(m.make_rbm("bernoulli"), learning_rate=0.1, final_learning_rate=0.0)
    single.on_epoch_start(1)
    assert single.rate == 0.1


def test_the_number_of_steps_grows_to_its_final_value():
    learner = plan(m.make_rbm("bernoulli"), epochs=5, steps=1, final_steps=9)
    seen = []
    for epoch in range(1, 6):
        learner.on_epoch_start(epoch)
        seen.append(learner.steps)
    assert seen == [1, 3, 5, 7, 9]


def test_learned_variances_find_those_of_the_rows_and_stay_positive():
    rng = m.seeded()
    rows = torch.randn(2000, 3, generator=rng, dtype=torch.float64) * torch.tensor([0.5, 1.0, 3.0]) + 2
    rbm = RBM(
        RBMConfig(n_visible=3, n_hidden=2, visible="gaussian", learn_variance=True), m.seeded(1)
    ).double()
    rbm.visible_bias.copy_(rows.mean(0))
    learner = plan(rbm, learning_rate=0.05, variance_rate_factor=1.0, steps=3, weight_decay=0.01)
    fit(learner, TensorData(rows), epochs=40, batch_size=100, rng=rng)
    # Hidden units take up part of a variance: the model's own samples have the rows' standard deviations.
    samples = rbm.gibbs(rows, 50, rng)
    assert samples.std(0).tolist() == pytest.approx([0.5, 1.0, 3.0], rel=0.15)
    assert bool((rbm.visible_units.log_variance.exp() > 0).all())


def test_sparse_rows_learn_the_same_bits_as_dense_ones():
    counts = torch.randint(0, 3, (23, 5), generator=m.seeded()).float()
    counts[:, 0] += 1
    ends = []
    for rows in (TensorData(counts), SparseTensorData(sparse.csr_matrix(counts.numpy()))):
        rbm = RBM(RBMConfig(n_visible=5, n_hidden=3, visible="counts"), m.seeded(1))
        rbm.initialize_from(rows.column_sums() if isinstance(rows, SparseTensorData) else counts)
        learner = plan(rbm, learning_rate=0.01, sample_visible=True)
        history = fit(learner, rows, epochs=3, batch_size=7, rng=m.seeded(2), validation=rows).history
        ends.append((rbm.state_dict(), [epoch["validation/reconstruction"] for epoch in history]))
    assert all(torch.equal(value, ends[1][0][key]) for key, value in ends[0][0].items())
    assert ends[0][1] == ends[1][1]
    with pytest.raises(ValueError, match="tocsr"):
        SparseTensorData(sparse.coo_matrix(counts.numpy()))


def test_products_in_bfloat16_leave_float32_weights_near_those_of_float32():
    rows = torch.rand(100, 40, generator=m.seeded()).round()
    ends = []
    for low in (False, True):
        rbm = RBM(RBMConfig(n_visible=40, n_hidden=30), m.seeded(1))
        rbm.initialize_from(rows)
        learner = plan(rbm, learning_rate=0.1, bfloat16=low)
        history = fit(learner, TensorData(rows), epochs=20, batch_size=20, rng=m.seeded(2)).history
        assert rbm.weight.dtype == torch.float32
        ends.append(history[-1]["train/reconstruction"])
    assert ends[0] < 25
    assert ends[1] == pytest.approx(ends[0], rel=0.03)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("counts", {"bfloat16": True}, "float32 weights"),
        ("counts", {"centered": True}, "lengths"),
        ("gaussian with variances", {"sample_visible": False}, "leave sample_visible: null"),
    ],
)
def test_settings_that_do_not_fit_the_units_are_refused(name, settings, message):
    with pytest.raises(UnitsError, match=message):
        plan(m.make_rbm(name), **settings)


def test_missing_groups_do_not_learn():
    rbm = m.make_rbm("softmax")
    rows = torch.tensor([[0.0, 1, 0, 0, 0, 0], [1.0, 0, 0, 0, 0, 0]], dtype=torch.float64)
    change = step_taken(rbm, rows, learning_rate=1.0, sample_visible=True, steps=3, **PLAIN)
    assert not change["weight"][3:].any()
    assert not change["visible_bias"][3:].any()
    assert change["weight"][:3].any()
