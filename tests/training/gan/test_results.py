"""What the training of a GAN leaves behind, as it stands in the catalog."""

import pytest
import torch

from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.training.gan import GANHistory, GANResult, RingSettings, count_modes, train_ring_gans


@pytest.mark.parametrize(
    ("diagnoses", "tag"),
    [
        ([], "none"),
        (["collapsed: 1 of 8 modes", "oscillating: 3 standard deviations"], "collapsed, oscillating"),
    ],
)
def test_a_history_tags_the_run_with_the_kinds_of_its_failures(diagnoses, tag):
    generator = Generator(GeneratorConfig(latent_size=2, n_outputs=2, hidden_sizes=(3,)))
    discriminator = Discriminator(DiscriminatorConfig(n_inputs=2, hidden_sizes=(3,)))
    result = GANResult(generator, discriminator, [{"epoch": 1, "train/value": -1.0}], [], diagnoses, 2.0)
    found = GANHistory.of(result)
    assert found.run_tags() == {"gan.diagnosis": tag}
    assert GANHistory.model_validate_json(found.model_dump_json()) == found


def test_the_ring_has_a_run_for_each_seed_and_variant():
    settings = RingSettings(
        epochs=1, seeds=2, rows=500, batch_size=100, hidden_sizes=(8,), variants=("least squares",)
    )
    found, sample_history = train_ring_gans(settings, 3)
    assert [(run.variant, run.seed) for run in found.root] == [
        ("default", 3),
        ("default", 4),
        ("least squares", 3),
    ]
    for run in found.root:
        assert (run.modes, run.in_modes) == count_modes(torch.tensor(run.samples))
        assert run.kinds == (", ".join(each.split(":")[0] for each in run.diagnoses) or "no failure")
    assert sample_history[0][0] == 0
    assert sample_history[0][1].shape == (1000, 2)
