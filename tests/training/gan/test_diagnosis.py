"""Verdicts from figures, and from games that go wrong for a known reason."""

import pytest
import torch

from layerwise.checkpointing.state import Progress
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.training.gan.diagnosis import verdicts
from layerwise.training.gan.gaussian_ring import (
    RingSettings,
    centres,
    mode_of,
    modes_found,
    play_on_ring,
    ring,
)
from layerwise.training.gan.monitor import GameMonitor

WELL = {
    "train/signal": 0.5,
    "train/generator_gradient": 1.0,
    "train/discriminator_accuracy": 0.7,
    "samples/diversity": 0.9,
    "samples/moved": 0.1,
    "samples/net_share": 0.8,
    "samples/modes": 10.0,
    "samples/known_modes": 10.0,
}


def kinds(epochs):
    return [verdict.split(":")[0] for verdict in verdicts(epochs)]


def test_a_game_that_goes_well_has_no_verdict():
    assert verdicts([WELL] * 9) == []
    assert verdicts([]) == []


@pytest.mark.parametrize(
    ("change", "verdict", "cure"),
    [
        ({"samples/modes": 6.0}, "collapsed", "packed"),
        ({"samples/diversity": 0.4}, "collapsed", "wasserstein_penalty"),
        ({"train/signal": 0.05}, "vanishing", "non_saturating"),
        ({"train/generator_gradient": 1e-4}, "vanishing", "non_saturating"),
        ({"train/discriminator_accuracy": 0.99}, "overpowered", "label_smoothing"),
        ({"samples/moved": 0.5, "samples/net_share": 0.1}, "oscillating", "r1"),
    ],
)
def test_each_fault_has_its_verdict_and_its_cure(change, verdict, cure):
    found = verdicts([WELL] * 6 + [WELL | change] * 3)
    assert [each.split(":")[0] for each in found] == [verdict]
    assert cure in found[0].split("Cure:")[1]
    # What went wrong at first and is over is not judged.
    assert verdicts([WELL | {k: v for k, v in change.items() if "gradient" not in k}] * 3 + [WELL] * 6) == []


def test_samples_that_move_for_good_are_learning_and_not_oscillating():
    assert kinds([WELL | {"samples/moved": 0.5}] * 9) == []


def test_a_critic_without_a_boundary_is_not_judged_by_its_accuracy():
    critic = {name: value for name, value in WELL.items() if name != "train/discriminator_accuracy"}
    assert kinds([critic] * 9) == []


def test_points_of_the_ring_belong_to_the_mode_they_were_drawn_from():
    points = ring(4000, torch.Generator().manual_seed(0))
    assert modes_found(points)[0] == 8
    assert modes_found(points)[1] == pytest.approx(0.989, abs=0.006)  # three deviations in the plane
    assert mode_of(centres()).tolist() == list(range(8))
    assert modes_found(centres()[:3].repeat(100, 1)) == (3, 1.0)
    assert mode_of(torch.zeros(1, 2)).tolist() == [-1]


class Line(Generator):
    """Samples that the test places itself."""

    def forward(self, z, condition=None):
        return self.place + z


def monitored(places, real):
    sampler = Line(
        GeneratorConfig(latent_size=2, n_outputs=2, hidden_sizes=(), output="linear", normalisation="none")
    )
    noise = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    monitor = GameMonitor(sampler, noise, real, lambda: torch.Generator(), every=2)
    progress = Progress("test", None, epochs=len(places) - 1, n_batches=1)
    sampler.place = places[0]
    monitor.on_train_begin(progress)
    found = []
    for place in places[1:]:
        sampler.place = place
        progress.epoch += 1
        found.append(monitor.measure_epoch(progress))
    return monitor, found


def test_the_monitor_measures_diversity_and_movement():
    real = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    ahead = torch.tensor([3.0, 4.0])
    monitor, found = monitored([torch.zeros(2), ahead, ahead * 2, ahead, ahead * 2], real)
    spread = float(real.var(0).sum().sqrt())
    assert [each["samples/moved"] for each in found] == pytest.approx([5 / spread] * 4)
    assert found[-1]["samples/diversity"] == pytest.approx(1, abs=1e-5)
    # Four epochs: a third is one, so that the last step is all the way.
    assert found[-1]["samples/net_share"] == pytest.approx(1)
    assert [epoch for epoch, _ in monitor.film] == [0, 2, 4]


def test_samples_that_come_back_have_gone_nowhere():
    real = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    there, back = torch.tensor([1.0, 0.0]), torch.zeros(2)
    _, found = monitored([back, there, back, there, back, there, back], real)
    assert found[-1]["samples/net_share"] == pytest.approx(0, abs=1e-6)


def test_the_monitors_state_comes_back():
    real = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    monitor, _ = monitored([torch.zeros(2), torch.ones(2), torch.zeros(2)], real)
    other, _ = monitored([torch.zeros(2)] * 2, real)
    other.load_state(monitor.state())
    assert [epoch for epoch, _ in other.film] == [epoch for epoch, _ in monitor.film]
    assert all(torch.equal(a, b) for a, b in zip(other._trail, monitor._trail, strict=True))


def test_minimax_with_a_strong_discriminator_is_called_vanishing():
    played = play_on_ring(RingSettings().with_game("minimax, strong discriminator"), seed=0)
    found = [verdict for verdict in played.verdicts if verdict.startswith("vanishing")]
    assert len(found) == 1
    assert "non_saturating" in found[0].split("Cure:")[1]
    # The slope of log(1 - D(G(z))) by the score is D(G(z)) itself.
    last = played.history[-1]
    assert last["train/signal"] == pytest.approx(last["train/d_of_g"], abs=0.03)


def test_a_shorter_default_game_finds_the_modes_of_the_ring():
    played = play_on_ring(RingSettings(epochs=20), seed=0)
    assert modes_found(played.generator.sample(2000, torch.Generator().manual_seed(1)))[0] >= 7
    assert "vanishing" not in [verdict.split(":")[0] for verdict in played.verdicts]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_default_game_finds_the_modes_of_the_ring(seed):
    played = play_on_ring(RingSettings(), seed)
    samples = played.generator.sample(2000, torch.Generator().manual_seed(1))
    assert modes_found(samples)[0] >= 7


def test_the_same_seed_plays_the_same_game():
    settings = RingSettings(epochs=2, rows=1000)
    first, second = play_on_ring(settings, 3), play_on_ring(settings, 3)
    assert first.history[-1]["train/value"] == second.history[-1]["train/value"]
    for a, b in zip(first.generator.parameters(), second.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_game_on_the_ring_is_the_same_where_every_default_is_said():
    said = RingSettings(**RingSettings().model_dump())
    for name in said.games:
        assert said.with_game(name) == RingSettings().with_game(name)
    assert said.with_game("default") == RingSettings()
