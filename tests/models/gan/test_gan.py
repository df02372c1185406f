from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError

from layerwise.models import load_network, save_network
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.models.heads import OutputBlock


def build(kind, **shape):
    config = {"generator": GeneratorConfig, "discriminator": DiscriminatorConfig}[kind](**shape)
    return {"generator": Generator, "discriminator": Discriminator}[kind](
        config, torch.Generator().manual_seed(0)
    )


IMAGE = {"network": "dcgan", "image_shape": (8, 12), "channels": 4}


@pytest.mark.parametrize("shape", [{"hidden_sizes": (5,)}, IMAGE, IMAGE | {"dense_units": 6}])
@pytest.mark.parametrize("n_conditions", [0, 3])
def test_a_generator_maps_noise_to_rows_and_a_discriminator_rows_to_scores(shape, n_conditions):
    generator = build("generator", latent_size=7, n_outputs=96, n_conditions=n_conditions, **shape)
    discriminator = build("discriminator", n_inputs=96, n_conditions=n_conditions, **shape)
    condition = torch.eye(3)[torch.arange(5) % 3] if n_conditions else None
    rows = generator(generator.noise(5, torch.Generator().manual_seed(1)), condition)
    assert rows.shape == (5, 96)
    assert discriminator(rows, condition).shape == (5,)
    if n_conditions:
        other = condition.roll(1, 0)
        assert not torch.equal(discriminator(rows, condition), discriminator(rows, other))
        for network, x in ((generator, rows[:, :7]), (discriminator, rows)):
            with pytest.raises(ValueError, match="needs a condition of 3 columns"):
                network(x)


@pytest.mark.parametrize("shape", [{"hidden_sizes": (5,)}, IMAGE])
def test_a_projection_adds_the_inner_product_of_features_and_condition(shape):
    discriminator = build("discriminator", n_inputs=96, n_conditions=3, **shape).eval()
    x, condition = torch.rand(2, 96), torch.eye(3)[:2]
    features = discriminator.body(x if shape is IMAGE else torch.cat([x, condition], dim=1))
    expected = discriminator.output(features)[:, 0] + (discriminator.projection(condition) * features).sum(1)
    torch.testing.assert_close(discriminator(x, condition), expected)


def test_packed_rows_share_a_score():
    discriminator = build("discriminator", n_inputs=4, hidden_sizes=(6,), pac=3)
    rows = torch.rand(9, 4)
    found = discriminator(rows)
    assert found.shape == (3,)
    changed = rows.clone()
    changed[1] += 1
    assert (discriminator(changed) != found).tolist() == [True, False, False]


def test_dcgan_starts_as_its_paper_says():
    generator = build("generator", latent_size=100, n_outputs=784, network="dcgan", image_shape=(28, 28))
    weight = generator.body[0].weight
    assert float(weight.std()) == pytest.approx(0.02, rel=0.02)
    assert abs(float(weight.mean())) < 1e-3


def test_convolutions_with_a_dense_layer_start_by_he_so_that_signals_keep_their_size():
    shape = {"network": "dcgan", "image_shape": (28, 28), "channels": 16, "dense_units": 128}
    discriminator = build("discriminator", n_inputs=784, **shape)
    convolutions = [layer for layer in discriminator.body if isinstance(layer, torch.nn.Conv2d)]
    for layer, fan_in in zip(convolutions, (16, 16 * 16), strict=True):
        assert float(layer.weight.std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)
    generator = build("generator", latent_size=32, n_outputs=784, **shape)
    # Each output of a transposed convolution of kernel 4 and stride 2 has 2 x 2 places of each of 32 channels.
    assert float(generator.body[7].weight.std()) == pytest.approx((2 / (32 * 4)) ** 0.5, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("generator", {"latent_size": 2, "n_outputs": 96, **IMAGE}),
        ("generator", {"latent_size": 2, "n_outputs": 4, "output": "table",
                       "blocks": (OutputBlock(kind="tanh", size=1), OutputBlock(kind="softmax", size=3))}),
        ("generator", {"latent_size": 2, "n_outputs": 96, "n_conditions": 6, "given_shape": (2, 3),
                       **IMAGE, "network": "unet"}),
        ("discriminator", {"n_inputs": 96, "spectral_normalization": True, **IMAGE}),
        ("discriminator", {"n_inputs": 5, "normalization": "batch", "dropout": 0.3}),
    ],
)  # fmt: skip
def test_a_network_comes_back_from_its_file(tmp_path, kind, shape):
    network = build(kind, **shape)
    save_network(network, tmp_path)
    back = load_network(tmp_path)
    assert back.config == network.config
    for (name, a), b in zip(network.state_dict().items(), back.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_building_a_network_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build("discriminator", n_inputs=5, spectral_normalization=True)
    build("generator", latent_size=3, n_outputs=4)
    assert torch.equal(torch.rand(3), expected)


def test_the_same_seed_gives_the_same_networks():
    for shape in ({"n_inputs": 5, "spectral_normalization": True}, {"n_inputs": 96, **IMAGE}):
        first, second = build("discriminator", **shape), build("discriminator", **shape)
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("config", "shape", "message"),
    [
        (GeneratorConfig, {"latent_size": 1, "n_outputs": 4, "network": "dcgan"}, "these rows are none"),
        (
            GeneratorConfig,
            {"latent_size": 1, "n_outputs": 90, "network": "dcgan", "image_shape": (9, 10)},
            "9 x 10 does not divide by 4",
        ),
        (
            GeneratorConfig,
            {"latent_size": 1, "n_outputs": 4, "output": "table"},
            "blocks go with output: table",
        ),
        (
            DiscriminatorConfig,
            {"n_inputs": 4, "spectral_normalization": True, "normalization": "batch"},
            "takes the place",
        ),
    ],
)
def test_shapes_that_make_no_sense_are_refused(config, shape, message):
    with pytest.raises(ValidationError, match=message):
        config(**shape)


def test_sampling_leaves_the_random_stream_of_a_table_generator_alone():
    blocks = (OutputBlock(kind="tanh", size=1), OutputBlock(kind="softmax", size=3))
    config = GeneratorConfig(latent_size=2, n_outputs=4, hidden_sizes=(5,), output="table", blocks=blocks)
    generator = Generator(config, torch.Generator().manual_seed(0))
    training_rng = torch.Generator().manual_seed(1)
    generator.use_rng(training_rng)
    state = training_rng.get_state()
    generator.sample(10, torch.Generator().manual_seed(2))
    assert generator.output_activation.rng is training_rng
    assert torch.equal(training_rng.get_state(), state)


def test_rows_that_are_sampled_in_batches_have_each_its_own_condition():
    generator = build("generator", latent_size=3, n_outputs=4, n_conditions=5, hidden_sizes=(6,)).eval()
    condition = torch.eye(5)
    found = generator.sample(5, torch.Generator().manual_seed(2), condition, batch_size=2)
    rng = torch.Generator().manual_seed(2)
    parts = [(generator.noise(len(part), rng), part) for part in condition.split(2)]
    torch.testing.assert_close(found, torch.cat([generator(*part) for part in parts]))


def test_layers_before_batch_normalization_have_no_bias():
    for shape in ({"hidden_sizes": (5, 4)}, IMAGE):
        for kind in ("generator", "discriminator"):
            sizes = {"generator": {"latent_size": 3, "n_outputs": 96}, "discriminator": {"n_inputs": 96}}[
                kind
            ]
            modules = list(build(kind, normalization="batch", **sizes, **shape).body)
            for layer, after in pairwise(modules):
                if "BatchNorm" in type(after).__name__ and hasattr(layer, "bias"):
                    assert layer.bias is None
            assert any("BatchNorm" in type(each).__name__ for each in modules)
