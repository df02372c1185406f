import base64
import json
import re

import numpy as np
import pytest
import torch

from layerwise.evaluation.demos import render_gan_demo
from layerwise.evaluation.demos.gan import folded_layers
from layerwise.models.gan import Generator, GeneratorConfig


@pytest.fixture
def generator():
    shape = GeneratorConfig(latent_size=3, n_conditions=2, n_outputs=4, hidden_sizes=(5, 6))
    network = Generator(shape, torch.Generator().manual_seed(0))
    network.train()
    for _ in range(5):  # running statistics that are not those of a new network
        network(torch.randn(20, 3) * 2 + 1, torch.eye(2)[torch.arange(20) % 2])
    return network.eval()


def run_script(layers, x):
    """What the script of the HTML demo computes."""
    for k, (weight, bias) in enumerate(layers):
        x = weight @ x + bias
        x = np.maximum(x, 0) if k + 1 < len(layers) else 1 / (1 + np.exp(-x))
    return x


def test_layers_with_their_statistics_folded_in_give_the_generators_rows(generator):
    z, condition = torch.tensor([[0.3, -1.2, 0.8]]), torch.tensor([[0.0, 1.0]])
    found = run_script(folded_layers(generator), torch.cat([z, condition], 1)[0].double().numpy())
    np.testing.assert_allclose(found, generator(z, condition)[0].detach().numpy(), atol=1e-6)


def test_the_demo_holds_the_same_numbers(generator):
    demo = render_gan_demo(generator, ("a", "</script>"), (2, 2), "Title & more")
    assert "Title &amp; more" in demo
    assert demo.count("</script>") == 1
    model = json.loads(re.search(r"const model = (.*);\n", demo)[1].replace("<\\/", "</"))
    assert model["classes"] == ["a", "</script>"]
    layers = [
        (
            np.frombuffer(base64.b64decode(layer["weight"]), "<f4").reshape(
                layer["outputs"], layer["inputs"]
            ),
            np.frombuffer(base64.b64decode(layer["bias"]), "<f4"),
        )
        for layer in model["layers"]
    ]
    x = np.array([0.3, -1.2, 0.8, 0, 1])
    expected = generator(torch.tensor([x[:3]]).float(), torch.tensor([x[3:]]).float())[0].detach().numpy()
    np.testing.assert_allclose(run_script(layers, x), expected, atol=1e-5)


def test_a_generator_that_the_demo_cannot_run_is_refused():
    other = Generator(GeneratorConfig(latent_size=2, n_outputs=4, activation="tanh"))
    with pytest.raises(ValueError, match="network mlp with relu"):
        folded_layers(other)


def test_the_demo_says_how_many_colors_a_pixel_has(generator):
    for shape, channels in (((2, 2), 1), ((1, 1, 3), 3)):
        demo = render_gan_demo(generator, ("a", "b"), shape, "x")
        model = json.loads(re.search(r"const model = (.*);\n", demo)[1].replace("<\\/", "</"))
        assert (model["height"], model["width"], model["channels"]) == (*shape[:2], channels)
