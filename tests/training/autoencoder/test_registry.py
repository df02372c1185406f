"""The registry of autoencoder variants, and a variant of the test's own from training to a loaded network."""

from typing import Literal

import pytest
import torch
from torch import nn

from layerwise.models import load_network, register_network
from layerwise.models.autoencoder import BaseAutoencoder
from layerwise.models.heads import build_output
from layerwise.models.kinds import KINDS
from layerwise.training.autoencoder import (
    AutoencoderSettings,
    ReconstructionVariant,
    SAESettings,
    register_variant,
)
from layerwise.training.autoencoder.registry import VARIANTS
from layerwise.utils import Choice, Config
from layerwise.utils.registry import import_registrants


class ScalingConfig(Config):
    """The shape."""

    kind: Literal["scaling"] = "scaling"
    n_inputs: int


class Scaling(BaseAutoencoder):
    """The latent is the row, scaled by one number each."""

    def __init__(self, config, rng=None):
        super().__init__()
        self.config, self.output = config, build_output("squared", "linear")
        self.scale = nn.Parameter(torch.zeros(config.n_inputs))
        if rng is not None:
            nn.init.normal_(self.scale, generator=rng)

    def encode(self, x):
        return x * self.scale

    def decode_pre_activation(self, latent):
        return latent * self.scale


class ScalingVariant(ReconstructionVariant):
    def build(self, settings, columns, rng):
        return Scaling(ScalingConfig(n_inputs=columns.n_inputs), rng)


@pytest.fixture
def scaling(monkeypatch):
    for each in (VARIANTS, KINDS):
        monkeypatch.setattr(each, "entries", each.all())
    register_network(ScalingConfig)(Scaling)
    register_variant(ScalingVariant("scaling", Choice("scales"), {"corruption": "masking"}))


def test_a_registered_variant_trains_is_saved_and_reconstructs(project, scaling):
    # A latent of 784 units makes each downstream task take long.
    settings = {"variant": "scaling", "epochs": 1, "downstream_tasks": False, "probe": False}
    project.run("autoencoder", problem={"name": "scaled"}, autoencoder=settings)
    found = load_network(project.path / "data/06_models/scaled/autoencoder/autoencoder_network")
    assert type(found) is Scaling
    rows = torch.rand(3, 784)
    torch.testing.assert_close(found.reconstruct(rows), rows * found.scale**2)
    metrics = project.json("08_reporting/scaled/autoencoder/reconstruction_metrics.json")
    assert metrics["jacobian_norm"] is None


def test_a_variant_has_its_defaults_and_refuses_what_it_has_no_use_for(scaling):
    assert AutoencoderSettings(variant="scaling").resolved("scaling")["corruption_level"] == 0.25
    for refused in ({"beta": 2.0}, {"sparsity": "top_k"}, {"contraction": 0.1}, {"loss": "gaussian"}):
        with pytest.raises(ValueError, match=r"no use for beta|fully connected|learns a variance"):
            AutoencoderSettings(variant="scaling", **refused)


def test_an_unknown_variant_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"Input should be 'compression', .*'variational'"):
        AutoencoderSettings(variant="scaling")


def test_a_stack_takes_the_variants_of_one_layer_alone():
    with pytest.raises(
        ValueError, match=r"Input should be 'compression', 'contractive', .*'sparse'"
    ) as refused:
        SAESettings(variant="deep")
    assert "'deep'" not in str(refused.value).partition("[type=")[0]


def test_variants_of_another_distribution_are_loaded_by_their_entry_points(monkeypatch):
    class Entry:
        def load(self):
            register_variant(ScalingVariant("foreign", Choice("of another distribution")))

    monkeypatch.setattr(VARIANTS, "entries", VARIANTS.all())
    monkeypatch.setattr(
        "layerwise.utils.registry.entry_points",
        lambda group: [Entry()] if group == "layerwise.autoencoder_variants" else [],
    )
    import_registrants.cache_clear()  # a process looks for them once
    assert AutoencoderSettings(variant="foreign").variant == "foreign"
