"""GAN objectives against what is known of them in closed form."""

import math

import pytest
import torch
from pydantic import ValidationError

from layerwise.training.gan.gradient_penalties import r1_penalty, unit_norm_penalty
from layerwise.training.gan.objectives.base import OBJECTIVES
from layerwise.training.gan.settings import AdversarialSettings

# Two densities on five points.
P = torch.tensor([0.1, 0.3, 0.2, 0.25, 0.15], dtype=torch.float64)
Q = torch.tensor([0.4, 0.1, 0.2, 0.05, 0.25], dtype=torch.float64)


def expected_loss(name, scores, smoothing=0.0):
    objective = OBJECTIVES.find(name)
    return (P * objective.real_loss(scores, smoothing) + Q * objective.fake_loss(scores)).sum()


def optimal_scores(name, smoothing=0.0):
    """Minimise the discriminator's expected loss over its scores at the five points."""
    scores = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [scores], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = expected_loss(name, scores, smoothing)
        loss.backward()
        return loss

    optimizer.step(closure)
    return scores.detach()


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_the_optimal_discriminator_is_p_over_p_plus_q(name):
    torch.testing.assert_close(torch.sigmoid(optimal_scores(name)), P / (P + Q), atol=1e-6, rtol=0)


def test_with_one_sided_smoothing_it_is_scaled_by_1_minus_e():
    # Salimans et al. 2016, section 3.4: (1 - e) p / (p + q); generated rows keep the target 0.
    found = torch.sigmoid(optimal_scores("minimax", smoothing=0.1))
    torch.testing.assert_close(found, 0.9 * P / (P + Q), atol=1e-6, rtol=0)


def test_the_optimal_least_squares_discriminator_is_p_over_p_plus_q_too():
    torch.testing.assert_close(optimal_scores("least_squares"), P / (P + Q), atol=1e-6, rtol=0)


def test_the_optimal_value_is_the_jensen_shannon_divergence():
    objective, scores, middle = OBJECTIVES.find("minimax"), torch.logit(P / (P + Q)), (P + Q) / 2
    value = (P * objective.real_value(scores) + Q * objective.fake_value(scores)).sum()
    divergence = 0.5 * (P * (P / middle).log() + Q * (Q / middle).log()).sum()
    assert float(value) == pytest.approx(-math.log(4) + 2 * float(divergence))


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_at_equality_the_value_is_minus_log_4(name):
    objective, undecided = OBJECTIVES.find(name), torch.zeros(3, dtype=torch.float64)
    value = objective.real_value(undecided) + objective.fake_value(undecided)
    torch.testing.assert_close(value, torch.full((3,), -math.log(4), dtype=torch.float64))


def test_the_minimax_generator_minimizes_the_value_as_written():
    objective, scores = OBJECTIVES.find("minimax"), torch.linspace(-4, 4, 9)
    torch.testing.assert_close(
        objective.generator_loss(scores), torch.log(1 - torch.sigmoid(scores)), atol=1e-6, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "derivative"),
    [
        ("minimax", lambda s: -torch.sigmoid(s)),
        ("non_saturating", lambda s: torch.sigmoid(s) - 1),
        ("least_squares", lambda s: s - 1),
        ("wasserstein", lambda s: -torch.ones_like(s)),
        ("wasserstein_penalty", lambda s: -torch.ones_like(s)),
        ("hinge", lambda s: -torch.ones_like(s)),
    ],
)
def test_the_generators_derivative_by_the_score_is_known(name, derivative):
    scores = torch.linspace(-6, 6, 13, requires_grad=True)
    (found,) = torch.autograd.grad(OBJECTIVES.find(name).generator_loss(scores).sum(), scores)
    torch.testing.assert_close(found, derivative(scores.detach()))


def test_only_the_minimax_derivative_vanishes_where_the_discriminator_is_sure():
    sure = torch.tensor([-30.0], requires_grad=True)
    derivatives = {
        name: float(torch.autograd.grad(OBJECTIVES.find(name).generator_loss(sure).sum(), sure)[0].abs())
        for name in OBJECTIVES.all()
    }
    assert derivatives.pop("minimax") < 1e-12
    assert min(derivatives.values()) > 0.99


@pytest.mark.parametrize("name", OBJECTIVES.all())
def test_the_discriminators_loss_is_minus_the_value(name):
    objective, real, fake = (
        OBJECTIVES.find(name),
        torch.tensor([0.3, 2.0, -1.5]),
        torch.tensor([-0.2, 1.2, -3.0]),
    )
    # The least squares discriminator minimises its value (Mao et al. 2017, equation 2).
    sign = 1 if name == "least_squares" else -1
    value = objective.real_value(real) + objective.fake_value(fake)
    torch.testing.assert_close(objective.real_loss(real, 0.0) + objective.fake_loss(fake), sign * value)


@pytest.mark.parametrize("name", OBJECTIVES.all())
def test_huge_scores_give_finite_losses(name):
    objective, huge = OBJECTIVES.find(name), torch.tensor([-1e4, 1e4])
    for values in (
        objective.real_loss(huge, 0.0),
        objective.fake_loss(huge),
        objective.generator_loss(huge),
        objective.fake_value(huge),
    ):
        assert torch.isfinite(values).all()


def test_the_penalty_of_a_linear_critic_of_unit_norm_is_0():
    rng = torch.Generator().manual_seed(0)
    weight = torch.randn(6, generator=rng, dtype=torch.float64)
    real, fake = torch.randn(2, 8, 6, generator=rng, dtype=torch.float64)
    interpolation_weights = torch.rand(8, 1, generator=rng, dtype=torch.float64)
    found = unit_norm_penalty(lambda x: x @ (weight / weight.norm()), real, fake, interpolation_weights)
    torch.testing.assert_close(found, torch.zeros(8, dtype=torch.float64))


@pytest.mark.parametrize("norm", [0.5, 3.0])
def test_the_penalty_of_a_linear_critic_is_its_norms_squared_distance_from_1(norm):
    weight = torch.full((4,), norm / 2, dtype=torch.float64)
    rows, interpolation_weights = (
        torch.zeros(3, 4, dtype=torch.float64),
        torch.full((3, 1), 0.3, dtype=torch.float64),
    )
    found = unit_norm_penalty(lambda x: x @ weight, rows, rows + 1, interpolation_weights)
    torch.testing.assert_close(found, torch.full((3,), (norm - 1) ** 2, dtype=torch.float64))


def test_the_penalty_is_taken_between_the_rows():
    # The critic |x|^2 / 2 has the gradient x, so that the penalty shows where it was taken.
    real, fake, interpolation_weights = torch.ones(1, 2), torch.full((1, 2), 5.0), torch.tensor([[0.25]])
    found = unit_norm_penalty(lambda x: x.square().sum(1) / 2, real, fake, interpolation_weights)
    assert found.item() == pytest.approx((4 * math.sqrt(2) - 1) ** 2, rel=1e-5)


def test_packed_rows_have_one_gradient():
    weight = torch.tensor([3.0, 0.0, 0.0, 4.0])
    rows = torch.zeros(6, 2)
    found = unit_norm_penalty(lambda x: x.reshape(3, 4) @ weight, rows, rows, torch.rand(3, 1), pac=2)
    torch.testing.assert_close(found, torch.full((3,), 16.0))


def test_r1_is_the_squared_gradient_at_real_rows():
    rows = torch.tensor([[1.0, 2.0], [0.5, -1.0]])
    torch.testing.assert_close(r1_penalty(lambda x: x.square().sum(1) / 2, rows), rows.square().sum(1))


def test_the_gradient_of_a_penalty_reaches_the_critic():
    weight = torch.tensor([2.0, 0.0], requires_grad=True)
    for penalty, expected in (
        (unit_norm_penalty(lambda x: x @ weight, torch.zeros(1, 2), torch.ones(1, 2), torch.rand(1, 1)), 2.0),
        (r1_penalty(lambda x: x @ weight, torch.zeros(1, 2)), 4.0),
    ):
        (found,) = torch.autograd.grad(penalty.sum(), weight)
        torch.testing.assert_close(found, torch.tensor([expected, 0.0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "hinge", "label_smoothing": 0.1}, "no target to smooth"),
        ({"objective": "wasserstein_penalty", "r1": 1.0}, "constrains the gradient itself"),
        ({"optimizer": "rmsprop", "beta_1": 0.9}, "no use for beta_1"),
        ({"optimizer": "sgd", "beta_2": 0.9}, "optimizer sgd has no use for beta_1 and beta_2"),
        ({"objective": "hinge", "weight_clip": 0.1}, "no use for weight_clip: it belongs to wasserstein"),
        ({"gradient_penalty": 1.0}, "no use for gradient_penalty"),
        ({"objectiv": "hinge"}, "did you mean 'objective'"),
        ({"batch_size": 1}, "greater than or equal to 2"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        AdversarialSettings(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "rmsprop", "beta_1": 0.5, "beta_2": 0.999},
        {"objective": "hinge", "weight_clip": 0.01, "gradient_penalty": 10.0},
        {"objective": "wasserstein", "weight_clip": 0.1, "gradient_penalty": 10.0},
    ],
)
def test_a_default_without_a_use_may_be_written_out(settings):
    assert AdversarialSettings(**settings).model_dump() == AdversarialSettings().model_dump() | settings
