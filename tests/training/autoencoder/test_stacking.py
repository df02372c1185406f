"""Pretraining of stacks: a deep sigmoid autoencoder trains after it and not without (Hinton & Salakhutdinov 2006)."""

import pytest
import torch
from helpers.seeded import seeded

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.data.transforms import Corruption
from layerwise.datasets import EmbeddedDigits
from layerwise.evaluation.unsupervised import fit_pca
from layerwise.models.autoencoder import Autoencoder, from_dbn, reconstruct_rows, unroll
from layerwise.models.rbm import DBN, DBNConfig
from layerwise.training import fit
from layerwise.training.autoencoder import SAESettings, build_stack, pretrain_layers
from layerwise.training.autoencoder.plans import ReconstructionPlan
from layerwise.training.optim import OptimizerSettings
from layerwise.training.rbm import PretrainingSettings, pretrain_dbn

SIZES = (200, 100, 50, 20)


@pytest.fixture(scope="module")
def digits():
    pixels = EmbeddedDigits().load().pixels
    gray = torch.from_numpy(pixels.reshape(len(pixels), -1) / 255).float()
    return gray[torch.randperm(len(gray), generator=seeded())]


def squared_error(rows, reconstructed):
    return float((rows - reconstructed).square().sum(1).mean())


def train(network, rows, epochs):
    plan = ReconstructionPlan(
        network,
        OptimizerSettings(optimizer="momentum", learning_rate=0.001),
        Corruption("none", 0.0, seeded(1)),
    )
    fit(plan, TensorData(rows), epochs=epochs, batch_size=100, rng=seeded(2))
    network.eval()


@pytest.mark.slow
def test_a_deep_sigmoid_net_stays_near_two_components_from_small_weights_and_not_after_rbms(digits):
    training, test = digits[:4000], digits[4000:]
    components = fit_pca(training, 2)
    by_two = squared_error(test, components.decode(components.encode(test)))
    dbn = DBN(DBNConfig(n_visible=784, hidden_sizes=SIZES), seeded(3))
    pretrain_dbn(dbn, TensorData(training), None, PretrainingSettings(epochs=10), 0)
    pretrained = unroll(from_dbn(dbn))
    small = Autoencoder(pretrained.config.model_copy(update={"initializer": "normal"}), seeded(4))
    for network in (small, pretrained):
        train(network, training, 15)
    assert squared_error(test, reconstruct_rows(small, test)) > 0.95 * by_two
    assert squared_error(test, reconstruct_rows(pretrained, test)) < 0.7 * by_two


def test_every_layer_learns_the_latents_of_the_one_below(digits):
    columns = DataSpec(
        task="multiclass",
        n_inputs=784,
        n_outputs=10,
        feature_names=(),
        blocks=(ColumnBlock(name="pixels", kind="binary", start=0, stop=784),),
        target_names=(),
        image_shape=(28, 28),
    )
    settings = SAESettings(hidden_sizes=(30, 20), learning_rate=0.01, corruption_levels=(0.2, 0.0))
    stack = build_stack(settings, columns, seeded(5))
    before = squared_error(digits[:500], stack.reconstruct(digits[:500]))
    result = pretrain_layers(
        stack,
        TensorData(digits[:1000]),
        TensorData(digits[1000:1200]),
        columns,
        settings,
        PretrainingSettings(epochs=4),
        0,
    )
    assert squared_error(digits[:500], stack.reconstruct(digits[:500])) < 0.8 * before
    latents = stack.encode(digits[1000:1200], depth=1).detach()
    upper = stack.autoencoders()[1]
    expected = float(upper.loss(upper(latents), latents).mean().detach())
    assert result.history["layer_2"][-1]["validation/loss"] == pytest.approx(expected, rel=1e-4)
