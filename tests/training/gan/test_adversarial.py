"""A step of one network leaves the other alone; training resumes as if it had never been interrupted."""

import pytest
import torch

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.training import evaluate, fit
from layerwise.training.gan.adversarial import AdversarialPlan
from layerwise.training.gan.objectives.base import OBJECTIVES
from layerwise.training.gan.settings import AdversarialSettings

D = 16


def build_plan(n_conditions=0, network="mlp", discriminator_shape=None, **settings):
    init_rng = torch.Generator().manual_seed(1)
    common = {"network": network, "n_conditions": n_conditions, "image_shape": (4, 4), "channels": 3}
    generator = GeneratorConfig(latent_size=3, n_outputs=D, hidden_sizes=(8,), **common)
    discriminator = DiscriminatorConfig(
        n_inputs=D, hidden_sizes=(8, 6), **common | (discriminator_shape or {})
    )

    def by_target(batch, rng):
        return batch.inputs, batch.targets

    conditioning = {"conditioning": by_target} if n_conditions else {}
    return AdversarialPlan(
        Generator(generator, init_rng),
        Discriminator(discriminator, init_rng),
        AdversarialSettings(**{"batch_size": 10, "epochs": 2} | settings),
        torch.Generator().manual_seed(2),
        **conditioning,
    )


def rows(n=40, n_conditions=0):
    rng = torch.Generator().manual_seed(3)
    inputs = torch.rand(n, D, generator=rng)
    return TensorData(inputs, torch.rand(n, n_conditions, generator=rng) if n_conditions else None)


def everything(network):
    """Weights, running statistics and gradients."""
    found = {name: value.clone() for name, value in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        found[f"{name}.grad"] = torch.zeros(0) if parameter.grad is None else parameter.grad.clone()
    return found


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


# Batch normalisation and spectral normalisation keep statistics that a forward pass would move.
DISCRIMINATOR_SHAPES = [{"normalization": "batch"}, {"spectral_normalization": True}, {"dropout": 0.3}]


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
@pytest.mark.parametrize("discriminator_shape", DISCRIMINATOR_SHAPES)
def test_a_step_of_one_network_leaves_the_other_alone(network, discriminator_shape):
    plan = build_plan(network=network, discriminator_shape=discriminator_shape)
    plan.on_epoch_start(1)
    plan.training_step(rows(10))  # both have gradients and moments from here on
    generator, discriminator = everything(plan.generator), everything(plan.discriminator)
    plan.discriminator_step(rows(10))
    assert_same(generator, everything(plan.generator))
    assert not all(torch.equal(discriminator[k], v) for k, v in everything(plan.discriminator).items())
    discriminator = everything(plan.discriminator)
    plan.generator_step(rows(10))
    assert_same(discriminator, everything(plan.discriminator))
    assert not all(torch.equal(generator[k], v) for k, v in everything(plan.generator).items())
    assert all(p.requires_grad for p in [*plan.generator.parameters(), *plan.discriminator.parameters()])


@pytest.mark.parametrize("objective", OBJECTIVES.all())
def test_the_generators_gradient_is_that_of_its_loss_through_the_discriminator(objective):
    plan = build_plan(objective=objective, ema_decay=0.0)
    plan.on_epoch_start(1)
    before = plan.rng.get_state()
    plan.generator_step(rows(10))
    found = [p.grad.clone() for p in plan.generator.parameters()]
    other = build_plan(objective=objective)
    other.generator.train()
    z = torch.randn(10, 3, generator=torch.Generator().manual_seed(0).set_state(before))
    loss = other.objective.generator_loss(other.discriminator(other.generator(z))).mean()
    expected = torch.autograd.grad(loss, list(other.generator.parameters()))
    for gradient, reference in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, reference)


@pytest.mark.parametrize("condition", [0, 2])
def test_a_shared_sample_is_scored_by_the_discriminator_that_has_learnt_from_it(condition):
    plan, other = (build_plan(condition, ema_decay=0.0, discriminator_learning_rate=0.1) for _ in range(2))
    for each in (plan, other):
        each.on_epoch_start(1)
    plan.shares_samples, batch = True, rows(10, condition)
    z = torch.randn(10, 3, generator=torch.Generator().set_state(plan.rng.get_state()))
    weights = [p.detach().clone() for p in plan.generator.parameters()]
    shared = plan.training_step(batch)
    other.discriminator_step(batch)
    assert_same(plan.discriminator.state_dict(), other.discriminator.state_dict())
    assert all(torch.equal(p, w) for p, w in zip(other.generator.parameters(), weights, strict=True))
    scores = other.discriminator(other.generator(z, batch.targets), batch.targets)
    loss = other.objective.generator_loss(scores)
    torch.testing.assert_close(shared["generator_loss"], loss)
    expected = torch.autograd.grad(loss.mean(), list(other.generator.parameters()))
    for parameter, reference in zip(plan.generator.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, reference)


def test_a_shared_sample_takes_one_pass_of_the_generator():
    plan = build_plan(discriminator_steps=2)
    plan.on_epoch_start(1)
    passes = []
    plan.generator.body[0].register_forward_hook(lambda *_: passes.append(1))
    for shares, expected in ((False, 3), (True, 2)):
        plan.shares_samples = shares
        passes.clear()
        plan.training_step(rows(10))
        plan.training_step(rows(10))
        assert len(passes) == expected


def test_the_value_is_logged_as_it_is_defined():
    plan = build_plan()
    plan.on_epoch_start(1)
    batch, before = rows(10), plan.rng.get_state()
    z = torch.randn(10, 3, generator=torch.Generator().set_state(before))
    other = build_plan()
    with torch.no_grad():
        real = torch.sigmoid(other.discriminator(batch.inputs))
        fake = torch.sigmoid(other.discriminator(other.generator(z)))
    found = plan.training_step(batch)
    torch.testing.assert_close(found["value"].mean(), real.log().mean() + (1 - fake).log().mean())
    torch.testing.assert_close(found["d_of_x"], real)
    torch.testing.assert_close(found["d_of_g"], fake)
    torch.testing.assert_close(
        found["discriminator_accuracy"], ((real > 0.5).float() + (fake < 0.5).float()) / 2
    )


def test_n_critic_steps_come_before_each_generator_step():
    plan = build_plan(discriminator_steps=3)
    plan.on_epoch_start(1)
    generator_steps = ["generator_loss" in plan.training_step(rows(10)) for _ in range(6)]
    assert generator_steps == [False, False, True, False, False, True]


def test_clipping_keeps_the_critics_weights_small():
    plan = build_plan(objective="wasserstein", weight_clip=0.02, discriminator_learning_rate=0.1)
    plan.on_epoch_start(1)
    plan.training_step(rows(10))
    largest = max(float(p.abs().max()) for p in plan.discriminator.parameters())
    assert largest == pytest.approx(0.02)


def test_spectral_normalization_leaves_each_weight_a_largest_singular_value_of_1():
    plan = build_plan(discriminator_shape={"spectral_normalization": True}, objective="hinge")
    plan.on_epoch_start(1)
    for _ in range(20):
        plan.training_step(rows(10))
    for layer in (plan.discriminator.body[0], plan.discriminator.output):
        assert float(torch.linalg.matrix_norm(layer.weight, 2)) == pytest.approx(1, abs=0.02)


def test_instance_noise_falls_to_0_and_the_learning_rates_with_the_cosine():
    plan = build_plan(
        instance_noise=0.4, schedule="cosine", generator_learning_rate=0.1, discriminator_learning_rate=0.3
    )
    plan.on_train_start(Progress("gan", plan, 5, 1))
    found = []
    for epoch in (1, 3, 5):
        plan.on_epoch_start(epoch)
        rates = [o.param_groups[0]["lr"] for o in (plan.generator_optimizer, plan.discriminator_optimizer)]
        assert rates[1] == pytest.approx(3 * rates[0])
        found.append((plan.instance_noise_std, rates[0]))
    assert [noise for noise, _ in found] == pytest.approx([0.4, 0.2, 0.0])
    assert found[0][1] == 0.1
    assert found[2][1] < 0.02


def test_the_ema_generator_has_the_exponential_moving_average_of_the_weights():
    plan = build_plan(ema_decay=0.5, generator_learning_rate=0.05)
    plan.on_epoch_start(1)
    expected = plan.generator.body[0].weight.detach().clone()
    for update in range(1, 21):
        plan.training_step(rows(10))
        decay = min(0.5, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * plan.generator.body[0].weight.detach()
    torch.testing.assert_close(plan.ema_generator.body[0].weight, expected)
    assert plan.sampler is plan.ema_generator
    assert build_plan(ema_decay=0).sampler is not None


def test_a_penalty_of_every_second_step_weighs_twice_as_much():
    every, second = build_plan(r1=1.0), build_plan(r1=1.0, r1_every=2)
    for plan in (every, second):
        plan.on_epoch_start(1)
        plan.prepare_step()
    assert "penalty" not in second.discriminator_step(rows(10))
    second = build_plan(r1=1.0, r1_every=2)
    second.on_epoch_start(1)
    for _ in range(2):
        second.prepare_step()
    expected = 2 * every.discriminator_step(rows(10))["penalty"]
    torch.testing.assert_close(second.discriminator_step(rows(10))["penalty"], expected)


def test_paired_rows_pull_the_generator_towards_them():
    plan = build_plan(
        n_conditions=2, reconstruction_weight=100.0, epochs=30, generator_learning_rate=0.01, ema_decay=0.9
    )
    sources = rows(40, 2).targets
    paired = TensorData(sources.repeat_interleave(D // 2, dim=1), sources)
    progress = fit(plan, paired, epochs=30, batch_size=10, rng=torch.Generator().manual_seed(0))
    losses = [epoch["train/reconstruction"] for epoch in progress.history]
    assert losses[-1] < 0.5 * losses[0]


SETTINGS = [
    {},
    {"optimizer": "rmsprop", "objective": "wasserstein", "discriminator_steps": 3},
    {"objective": "wasserstein_penalty", "discriminator_steps": 2},
    {"objective": "hinge", "instance_noise": 0.1, "schedule": "cosine"},
    {"r1": 1.0, "label_smoothing": 0.1, "ema_decay": 0.0},
    {"precision": "bfloat16"},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    "discriminator_shape",
    [{"spectral_normalization": True}, {"normalization": "batch", "dropout": 0.2}, {"pac": 2}],
)
def test_training_resumes_bit_for_bit(settings, discriminator_shape):
    if "normalization" in discriminator_shape and settings.get("objective") == "wasserstein_penalty":
        pytest.skip("a penalty of single rows has no meaning under batch statistics")

    def fit_plan(plan, epochs, order, start=None):
        return fit(plan, rows(45), epochs=epochs, batch_size=10, rng=order, start=start)

    whole, order = (
        build_plan(discriminator_shape=discriminator_shape, **settings),
        torch.Generator().manual_seed(4),
    )
    fit_plan(whole, 4, order)
    first, order = (
        build_plan(discriminator_shape=discriminator_shape, **settings),
        torch.Generator().manual_seed(4),
    )
    # The schedule needs to know of four epochs from the start.
    first_half = StopAfter(2)
    progress = fit(first, rows(45), epochs=4, batch_size=10, rng=order, callbacks=[first_half])
    progress.stop = ""
    second = build_plan(discriminator_shape=discriminator_shape, **settings)
    second.rng.manual_seed(99)
    second.load_state_dict(first.state_dict())
    fit_plan(second, 4, order, start=progress)
    assert_same(whole.state_dict(), second.state_dict())


class StopAfter:
    """Stop after an epoch."""

    def __new__(cls, epoch):
        from layerwise.training.callbacks import Callback

        class Stop(Callback):
            def on_epoch_end(self, progress, metrics):
                if progress.epoch == epoch:
                    progress.stop = "here"

        return Stop()


def test_validation_and_sampling_change_neither_state_nor_random_state():
    plan = build_plan(discriminator_shape={"spectral_normalization": True}, n_conditions=2)
    plan.on_epoch_start(1)
    plan.training_step(rows(10, 2))
    before, gradients = plan.state_dict(), everything(plan.generator)
    first = evaluate(plan, rows(40, 2))
    sample = plan.sampler.sample(50, torch.Generator().manual_seed(0), torch.zeros(50, 2))
    assert first == evaluate(plan, rows(40, 2))
    assert torch.equal(sample, plan.sampler.sample(50, torch.Generator().manual_seed(0), torch.zeros(50, 2)))
    assert_same(before, plan.state_dict())
    assert_same(gradients, everything(plan.generator))
    assert plan.generator.training
    assert plan.discriminator.training


def test_every_loss_is_of_a_row_or_of_a_pack():
    plan = build_plan(discriminator_shape={"pac": 2})
    plan.on_epoch_start(1)
    losses = plan.training_step(rows(11))
    assert {len(values) for values in losses.values()} == {5}
