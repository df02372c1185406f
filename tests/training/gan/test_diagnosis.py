"""Diagnoses from metrics, and from GANs that fail for a known reason."""

import re

import pytest
import torch
import yaml
from pydantic import ValidationError

from layerwise.checkpointing import Progress
from layerwise.models.gan import Generator, GeneratorConfig
from layerwise.parameters import PARAMETERS
from layerwise.training.gan import (
    GANSettings,
    PairSettings,
    RingSettings,
    count_modes,
    known_objectives,
    sample_ring,
    train_ring_gan,
)
from layerwise.training.gan.diagnosis import REMEDIES, diagnose_gan
from layerwise.training.gan.gaussian_ring import assign_modes, mode_centers
from layerwise.training.gan.monitor import GANMonitor

# What every GAN can be given; a remedy for one of them alone says which.
GANS = (GANSettings, RingSettings, PairSettings)
# `gan.pac: 4`, `label_smoothing`, `r1: 1`: a name with a key before it, an underscore or a figure in it, or a value.
NAMED = re.compile(r"\b((?:[a-z]\w*\.)?[a-z]\w*)(?:: ([\w.]*\w))?")

HEALTHY = {
    "train/score_gradient": 0.5,
    "train/generator_gradient": 1.0,
    "train/discriminator_accuracy": 0.7,
    "samples/diversity": 0.9,
    "samples/displacement": 0.1,
    "samples/net_displacement_fraction": 0.8,
    "samples/modes": 10.0,
    "samples/known_modes": 10.0,
}


def kinds(epochs):
    return [diagnosis.split(":")[0] for diagnosis in diagnose_gan(epochs)]


def test_healthy_metrics_have_no_diagnosis():
    assert diagnose_gan([HEALTHY] * 9) == []
    assert diagnose_gan([]) == []


@pytest.mark.parametrize(
    ("change", "diagnosis", "remedy"),
    [
        ({"samples/modes": 6.0}, "collapsed", "gan.pac: 4"),
        ({"samples/diversity": 0.4}, "collapsed", "wasserstein_penalty"),
        ({"train/score_gradient": 0.05}, "vanishing", "non_saturating"),
        ({"train/generator_gradient": 1e-4}, "vanishing", "non_saturating"),
        ({"train/discriminator_accuracy": 0.99}, "overpowered", "label_smoothing"),
        ({"samples/displacement": 0.5, "samples/net_displacement_fraction": 0.1}, "oscillating", "r1"),
    ],
)
def test_each_failure_has_its_diagnosis_and_its_remedy(change, diagnosis, remedy):
    found = diagnose_gan([HEALTHY] * 6 + [HEALTHY | change] * 3)
    assert [each.split(":")[0] for each in found] == [diagnosis]
    assert remedy in found[0].split("Remedy:")[1]
    # A failure of the first epochs that is over has no diagnosis.
    assert (
        diagnose_gan([HEALTHY | {k: v for k, v in change.items() if "gradient" not in k}] * 3 + [HEALTHY] * 6)
        == []
    )


def named_parameters(remedy):
    """Yield the names in a remedy that are not plain words, each with the value that is advised, if any."""
    for name, value in NAMED.findall(remedy):
        if value or re.search(r"[_.0-9]", name):
            yield name, value


def wrong_names(remedy):
    """Return what a remedy names and no GAN can be given."""
    wrong = []
    for name, value in named_parameters(remedy):
        key, _, field = name.rpartition(".")
        models = [PARAMETERS.get(key)] if key else GANS
        if name in known_objectives():
            name, field, value = "objective", "objective", name
        for model in models:
            if model is None or field not in model.model_fields:
                wrong.append(name)
            elif value:
                try:
                    model(**{field: yaml.safe_load(value)})
                except ValidationError as error:
                    # Another setting may have to change with it, but the value itself has to be one.
                    if any(each["loc"] for each in error.errors()):
                        wrong.append(f"{name}: {value}")
    return wrong


@pytest.mark.parametrize("kind", REMEDIES)
def test_a_remedy_names_only_parameters_and_values_that_a_gan_can_be_given(kind):
    assert list(named_parameters(REMEDIES[kind]))
    assert wrong_names(REMEDIES[kind]) == []


def test_a_remedy_that_is_no_parameter_would_be_found():
    assert wrong_names("discriminator.packed, or gan.packed: 4") == ["discriminator.packed", "gan.packed"]
    assert wrong_names("a lower generator_rate, r1: 1") == ["generator_rate"] * 3
    assert wrong_names("schedule: linear, the objective non_saturating") == ["schedule: linear"] * 3
    assert wrong_names("pac: 4") == ["pac"] * 2  # neither the ring nor the pairs have it


def test_samples_that_move_for_good_are_learning_and_not_oscillating():
    assert kinds([HEALTHY | {"samples/displacement": 0.5}] * 9) == []


def test_a_critic_without_a_boundary_has_no_diagnosis_from_accuracy():
    critic = {name: value for name, value in HEALTHY.items() if name != "train/discriminator_accuracy"}
    assert kinds([critic] * 9) == []


def test_points_of_the_ring_belong_to_the_mode_they_were_drawn_from():
    points = sample_ring(4000, torch.Generator().manual_seed(0))
    assert count_modes(points)[0] == 8
    assert count_modes(points)[1] == pytest.approx(0.989, abs=0.006)  # three standard deviations in the plane
    assert assign_modes(mode_centers()).tolist() == list(range(8))
    assert count_modes(mode_centers()[:3].repeat(100, 1)) == (3, 1.0)
    assert assign_modes(torch.zeros(1, 2)).tolist() == [-1]


class Line(Generator):
    """A generator whose samples the test places."""

    def forward(self, z, condition=None):
        return self.place + z


def monitored(places, real, distance=None):
    sampler = Line(
        GeneratorConfig(latent_size=2, n_outputs=2, hidden_sizes=(), output="linear", normalization="none")
    )
    noise = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    monitor = GANMonitor(sampler, noise, real, lambda: torch.Generator(), every=2, distance=distance)
    progress = Progress("test", None, epochs=len(places) - 1, n_batches=1)
    sampler.place = places[0]
    monitor.on_train_start(progress)
    found = []
    for place in places[1:]:
        sampler.place = place
        progress.epoch += 1
        found.append(monitor.epoch_metrics(progress))
    return monitor, found


def test_the_monitor_measures_diversity_and_displacement():
    real = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    ahead = torch.tensor([3.0, 4.0])
    monitor, found = monitored([torch.zeros(2), ahead, ahead * 2, ahead, ahead * 2], real)
    real_std = float(real.var(0).sum().sqrt())
    assert [each["samples/displacement"] for each in found] == pytest.approx([5 / real_std] * 4)
    assert found[-1]["samples/diversity"] == pytest.approx(1, abs=1e-5)
    # Four epochs: a third is one, so that the last step is all the way.
    assert found[-1]["samples/net_displacement_fraction"] == pytest.approx(1)
    assert [epoch for epoch, _ in monitor.sample_history] == [0, 2, 4]


def test_the_monitor_measures_how_far_samples_are_from_validation_rows_where_it_can():
    real = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    places = [torch.zeros(2), torch.zeros(2), torch.tensor([3.0, 4.0])]
    _, found = monitored(places, real, lambda rows: float((rows - real).norm(dim=1).mean()))
    assert [each["validation/frechet_distance"] for each in found] == pytest.approx([0, 5], abs=1e-5)
    assert "validation/frechet_distance" not in monitored(places, real)[1][0]


def test_samples_that_come_back_have_no_net_displacement():
    real = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    there, back = torch.tensor([1.0, 0.0]), torch.zeros(2)
    _, found = monitored([back, there, back, there, back, there, back], real)
    assert found[-1]["samples/net_displacement_fraction"] == pytest.approx(0, abs=1e-6)


def test_the_monitors_state_comes_back():
    real = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    monitor, _ = monitored([torch.zeros(2), torch.ones(2), torch.zeros(2)], real)
    other, _ = monitored([torch.zeros(2)] * 2, real)
    other.load_state_dict(monitor.state_dict())
    assert [epoch for epoch, _ in other.sample_history] == [epoch for epoch, _ in monitor.sample_history]
    assert all(torch.equal(a, b) for a, b in zip(other._recent_samples, monitor._recent_samples, strict=True))


def test_minimax_with_a_strong_discriminator_is_diagnosed_as_vanishing():
    result = train_ring_gan(RingSettings().with_variant("minimax, strong discriminator"), seed=0)
    found = [diagnosis for diagnosis in result.diagnoses if diagnosis.startswith("vanishing")]
    assert len(found) == 1
    assert "non_saturating" in found[0].split("Remedy:")[1]
    # The derivative of log(1 - D(G(z))) by the score is D(G(z)) itself.
    last = result.history[-1]
    assert last["train/score_gradient"] == pytest.approx(last["train/d_of_g"], abs=0.03)


def test_a_shorter_default_training_finds_the_modes_of_the_ring():
    result = train_ring_gan(RingSettings(epochs=20), seed=0)
    assert count_modes(result.generator.sample(2000, torch.Generator().manual_seed(1)))[0] >= 7
    assert "vanishing" not in [diagnosis.split(":")[0] for diagnosis in result.diagnoses]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_default_gan_finds_the_modes_of_the_ring(seed):
    result = train_ring_gan(RingSettings(), seed)
    samples = result.generator.sample(2000, torch.Generator().manual_seed(1))
    assert count_modes(samples)[0] >= 7


def test_the_same_seed_trains_the_same_gan():
    settings = RingSettings(epochs=2, rows=1000)
    first, second = train_ring_gan(settings, 3), train_ring_gan(settings, 3)
    assert first.history[-1]["train/value"] == second.history[-1]["train/value"]
    for a, b in zip(first.generator.parameters(), second.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_ring_settings_are_the_same_where_every_default_is_written_out():
    explicit = RingSettings(**RingSettings().model_dump())
    for name in explicit.variants:
        assert explicit.with_variant(name) == RingSettings().with_variant(name)
    assert explicit.with_variant("default") == RingSettings()


def test_diversity_is_right_where_the_squares_of_a_product_cancel():
    # Real rows in a line far from zero, 0.004 apart: products in single precision would see nothing.
    real = 1000.0 + torch.arange(200).double()[:, None] * torch.tensor([[0.004, 0.0]], dtype=torch.float64)
    monitor, _ = monitored([torch.zeros(2), torch.zeros(2)], real.float())
    expected = (
        torch.cdist(real.float().double(), real.float().double()).fill_diagonal_(float("inf")).min(1).values
    )
    assert monitor.real_nearest_distance == pytest.approx(float(expected.mean()), rel=1e-3)
