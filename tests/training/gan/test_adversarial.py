"""One step of the game leaves the other player alone; a game goes on as if it had never been interrupted."""

import pytest
import torch

from layerwise.data.tensors import Rows
from layerwise.models.gan.discriminator import Discriminator, DiscriminatorConfig
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.training.gan.adversarial import Adversarial
from layerwise.training.gan.adversarial_settings import GameSettings
from layerwise.training.gan.objectives import OBJECTIVES
from layerwise.training.loop import fit, measure

D = 16


def game(n_conditions=0, network="mlp", player=None, **settings):
    start = torch.Generator().manual_seed(1)
    common = {"network": network, "n_conditions": n_conditions, "image_shape": (4, 4), "channels": 3}
    generator = GeneratorConfig(latent_size=3, n_outputs=D, hidden_sizes=(8,), **common)
    discriminator = DiscriminatorConfig(n_inputs=D, hidden_sizes=(8, 6), **common | (player or {}))

    def by_target(batch, draws):
        return batch.inputs, batch.targets

    pairing = {"pairing": by_target} if n_conditions else {}
    return Adversarial(
        Generator(generator, start),
        Discriminator(discriminator, start),
        GameSettings(**{"batch_size": 10, "epochs": 2} | settings),
        torch.Generator().manual_seed(2),
        **pairing,
    )


def rows(n=40, n_conditions=0):
    generator = torch.Generator().manual_seed(3)
    inputs = torch.rand(n, D, generator=generator)
    return Rows(inputs, torch.rand(n, n_conditions, generator=generator) if n_conditions else None)


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
PLAYERS = [{"normalisation": "batch"}, {"spectral": True}, {"dropout": 0.3}]


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
@pytest.mark.parametrize("player", PLAYERS)
def test_a_step_of_one_leaves_the_other_alone(network, player):
    trainee = game(network=network, player=player)
    trainee.begin_epoch(1, 2)
    trainee.train_step(rows(10))  # both have gradients and moments from here on
    generator, discriminator = everything(trainee.generator), everything(trainee.discriminator)
    trainee.discriminator_step(rows(10))
    assert_same(generator, everything(trainee.generator))
    assert not all(torch.equal(discriminator[k], v) for k, v in everything(trainee.discriminator).items())
    discriminator = everything(trainee.discriminator)
    trainee.generator_step(rows(10))
    assert_same(discriminator, everything(trainee.discriminator))
    assert not all(torch.equal(generator[k], v) for k, v in everything(trainee.generator).items())
    assert all(
        p.requires_grad for p in [*trainee.generator.parameters(), *trainee.discriminator.parameters()]
    )


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_generators_gradient_is_that_of_its_loss_through_the_discriminator(objective):
    trainee = game(objective=objective, average=0.0)
    trainee.begin_epoch(1, 2)
    before = trainee.draws.get_state()
    trainee.generator_step(rows(10))
    found = [p.grad.clone() for p in trainee.generator.parameters()]
    fresh = game(objective=objective)
    fresh.generator.train()
    z = torch.randn(10, 3, generator=torch.Generator().manual_seed(0).set_state(before))
    loss = fresh.game.generator_loss(fresh.discriminator(fresh.generator(z))).mean()
    expected = torch.autograd.grad(loss, list(fresh.generator.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_value_is_logged_as_it_is_defined():
    trainee = game()
    trainee.begin_epoch(1, 2)
    batch, before = rows(10), trainee.draws.get_state()
    z = torch.randn(10, 3, generator=torch.Generator().set_state(before))
    fresh = game()
    with torch.no_grad():
        real = torch.sigmoid(fresh.discriminator(batch.inputs))
        fake = torch.sigmoid(fresh.discriminator(fresh.generator(z)))
    found = trainee.train_step(batch)
    torch.testing.assert_close(found["value"].mean(), real.log().mean() + (1 - fake).log().mean())
    torch.testing.assert_close(found["d_of_x"], real)
    torch.testing.assert_close(found["d_of_g"], fake)
    torch.testing.assert_close(
        found["discriminator_accuracy"], ((real > 0.5).float() + (fake < 0.5).float()) / 2
    )


def test_n_critic_steps_come_before_each_generator_step():
    trainee = game(discriminator_steps=3)
    trainee.begin_epoch(1, 2)
    played = ["generator_loss" in trainee.train_step(rows(10)) for _ in range(6)]
    assert played == [False, False, True, False, False, True]


def test_clipping_keeps_the_critics_weights_small():
    trainee = game(objective="wasserstein", clip=0.02, discriminator_rate=0.1)
    trainee.begin_epoch(1, 2)
    trainee.train_step(rows(10))
    largest = max(float(p.abs().max()) for p in trainee.discriminator.parameters())
    assert largest == pytest.approx(0.02)


def test_spectral_normalisation_leaves_each_weight_a_largest_singular_value_of_1():
    trainee = game(player={"spectral": True}, objective="hinge")
    trainee.begin_epoch(1, 2)
    for _ in range(20):
        trainee.train_step(rows(10))
    for layer in (trainee.discriminator.body[0], trainee.discriminator.output):
        assert float(torch.linalg.matrix_norm(layer.weight, 2)) == pytest.approx(1, abs=0.02)


def test_instance_noise_falls_to_0_and_the_rates_with_the_cosine():
    trainee = game(instance_noise=0.4, schedule="cosine", generator_rate=0.1, discriminator_rate=0.3)
    found = []
    for epoch in (1, 3, 5):
        trainee.begin_epoch(epoch, 5)
        rates = [
            o.param_groups[0]["lr"] for o in (trainee.generator_optimiser, trainee.discriminator_optimiser)
        ]
        assert rates[1] == pytest.approx(3 * rates[0])
        found.append((trainee.deviation, rates[0]))
    assert [noise for noise, _ in found] == pytest.approx([0.4, 0.2, 0.0])
    assert found[0][1] == 0.1
    assert found[2][1] < 0.02


def test_the_average_is_the_exponential_mean_of_the_generators_weights():
    trainee = game(average=0.5, generator_rate=0.05)
    trainee.begin_epoch(1, 2)
    expected = trainee.generator.body[0].weight.detach().clone()
    for update in range(1, 21):
        trainee.train_step(rows(10))
        decay = min(0.5, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * trainee.generator.body[0].weight.detach()
    torch.testing.assert_close(trainee.average.body[0].weight, expected)
    assert trainee.sampler is trainee.average
    assert game(average=0).sampler is not None


def test_paired_rows_pull_the_generator_towards_them():
    trainee = game(n_conditions=2, reconstruction=100.0, epochs=30, generator_rate=0.01, average=0.9)
    sources = rows(40, 2).targets
    paired = Rows(sources.repeat_interleave(D // 2, dim=1), sources)
    progress = fit(trainee, paired, epochs=30, batch_size=10, generator=torch.Generator().manual_seed(0))
    losses = [epoch["train/reconstruction"] for epoch in progress.history]
    assert losses[-1] < 0.5 * losses[0]


SETTINGS = [
    {},
    {"optimiser": "rmsprop", "objective": "wasserstein", "discriminator_steps": 3},
    {"objective": "wasserstein_penalty", "discriminator_steps": 2},
    {"objective": "hinge", "instance_noise": 0.1, "schedule": "cosine"},
    {"r1": 1.0, "label_smoothing": 0.1, "average": 0.0},
    {"precision": "bfloat16"},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    "player", [{"spectral": True}, {"normalisation": "batch", "dropout": 0.2}, {"packed": 2}]
)
def test_a_game_goes_on_bit_for_bit(settings, player):
    if "normalisation" in player and settings.get("objective") == "wasserstein_penalty":
        pytest.skip("a penalty of single rows has no meaning under batch statistics")

    def play(trainee, epochs, order, start=None):
        return fit(trainee, rows(45), epochs=epochs, batch_size=10, generator=order, start=start)

    whole, order = game(player=player, **settings), torch.Generator().manual_seed(4)
    play(whole, 4, order)
    first, order = game(player=player, **settings), torch.Generator().manual_seed(4)
    # The schedule needs to know of four epochs from the start.
    first_half = StopAfter(2)
    progress = fit(first, rows(45), epochs=4, batch_size=10, generator=order, callbacks=[first_half])
    progress.stop = ""
    second = game(player=player, **settings)
    second.draws.manual_seed(99)
    second.load_state(first.state())
    play(second, 4, order, start=progress)
    assert_same(whole.state(), second.state())


class StopAfter:
    """Stop after an epoch."""

    def __new__(cls, epoch):
        from layerwise.training.callbacks.base import Callback

        class Stop(Callback):
            def on_epoch_end(self, progress, metrics):
                if progress.epoch == epoch:
                    progress.stop = "here"

        return Stop()


def test_measuring_and_sampling_change_nothing_and_draw_nothing():
    trainee = game(player={"spectral": True}, n_conditions=2)
    trainee.begin_epoch(1, 2)
    trainee.train_step(rows(10, 2))
    before, gradients = trainee.state(), everything(trainee.generator)
    first = measure(trainee, rows(40, 2))
    sample = trainee.sampler.sample(50, torch.Generator().manual_seed(0), torch.zeros(50, 2))
    assert first == measure(trainee, rows(40, 2))
    assert torch.equal(
        sample, trainee.sampler.sample(50, torch.Generator().manual_seed(0), torch.zeros(50, 2))
    )
    assert_same(before, trainee.state())
    assert_same(gradients, everything(trainee.generator))
    assert trainee.generator.training
    assert trainee.discriminator.training


def test_every_loss_is_of_a_row_or_of_a_pack():
    trainee = game(player={"packed": 2})
    trainee.begin_epoch(1, 2)
    losses = trainee.train_step(rows(11))
    assert {len(values) for values in losses.values()} == {5}
