import base64
import json
import re
import shutil
import subprocess

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


@pytest.fixture(params=[(8, 12), (4, 8, 3)])
def convolutions(request):
    """A generator of transposed convolutions, of gray and of color images."""
    shape = GeneratorConfig(
        network="dcgan",
        latent_size=3,
        n_conditions=2,
        n_outputs=int(np.prod(request.param)),
        image_shape=request.param,
        channels=2,
        dense_units=5,
    )
    network = Generator(shape, torch.Generator().manual_seed(0))
    network.train()
    for _ in range(5):
        network(torch.randn(20, 3) * 2 + 1, torch.eye(2)[torch.arange(20) % 2])
    return network.eval()


def run_layers(layers, x):
    """What the script of the HTML demo computes."""
    for k, (weight, bias, size) in enumerate(layers):
        if size is None:
            x = weight @ x + bias
        else:
            (height, width), padded = size, np.zeros((len(bias), 2 * size[0] + 2, 2 * size[1] + 2))
            for r in range(height):
                for c in range(width):
                    drawn = np.einsum("i,ioab->oab", x.reshape(-1, height, width)[:, r, c], weight)
                    padded[:, 2 * r : 2 * r + 4, 2 * c : 2 * c + 4] += drawn
            x = (padded[:, 1:-1, 1:-1] + bias[:, None, None]).reshape(-1)
        x = np.maximum(x, 0) if k + 1 < len(layers) else 1 / (1 + np.exp(-x))
    return x


def model_of(demo):
    return json.loads(re.search(r"const model = (.*);\n", demo)[1].replace("<\\/", "</"))


def test_layers_with_their_statistics_folded_in_give_the_generators_rows(generator):
    z, condition = torch.tensor([[0.3, -1.2, 0.8]]), torch.tensor([[0.0, 1.0]])
    found = run_layers(folded_layers(generator), torch.cat([z, condition], 1)[0].double().numpy())
    np.testing.assert_allclose(found, generator(z, condition)[0].detach().numpy(), atol=1e-6)


def test_transposed_convolutions_with_their_statistics_folded_in_give_the_generators_rows(convolutions):
    z, condition = torch.tensor([[0.3, -1.2, 0.8]]), torch.tensor([[0.0, 1.0]])
    found = run_layers(folded_layers(convolutions), torch.cat([z, condition], 1)[0].double().numpy())
    height, width, *channels = convolutions.config.image_shape
    images = found.reshape(*(channels or [1]), height, width).transpose(1, 2, 0)
    np.testing.assert_allclose(images.reshape(-1), generator_row(convolutions, z, condition), atol=1e-6)


@pytest.mark.skipif(shutil.which("node") is None, reason="runs the page's script by node")
def test_the_script_of_the_page_draws_the_generators_rows(generator, convolutions, tmp_path):
    for network, shape in ((generator, (2, 2)), (convolutions, convolutions.config.image_shape)):
        demo = render_gan_demo(network, ("a", "b"), shape, "x")
        script = demo[demo.index("const model") : demo.index("const z = ")]
        (tmp_path / "page.js").write_text(
            f"{script}\nconsole.log(JSON.stringify([...generate([0.3, -1.2, 0.8, 0, 1])]))"
        )
        ran = subprocess.run(["node", tmp_path / "page.js"], capture_output=True, text=True, check=True)
        z, condition = torch.tensor([[0.3, -1.2, 0.8]]), torch.tensor([[0.0, 1.0]])
        np.testing.assert_allclose(json.loads(ran.stdout), generator_row(network, z, condition), atol=1e-5)


def generator_row(network, z, condition):
    return network(z, condition)[0].detach().numpy()


def test_the_demo_holds_the_same_numbers(generator):
    demo = render_gan_demo(generator, ("a", "</script>"), (2, 2), "Title & more")
    assert "Title &amp; more" in demo
    assert demo.count("</script>") == 1
    model = model_of(demo)
    assert model["classes"] == ["a", "</script>"]
    layers = [
        (
            np.frombuffer(base64.b64decode(layer["weight"]), "<f4").reshape(
                layer["outputs"], layer["inputs"]
            ),
            np.frombuffer(base64.b64decode(layer["bias"]), "<f4"),
            None,
        )
        for layer in model["layers"]
    ]
    x = np.array([0.3, -1.2, 0.8, 0, 1])
    expected = generator_row(generator, torch.tensor([[0.3, -1.2, 0.8]]), torch.tensor([[0.0, 1.0]]))
    np.testing.assert_allclose(run_layers(layers, x), expected, atol=1e-5)


def test_a_generator_that_the_demo_cannot_run_is_refused():
    other = Generator(GeneratorConfig(latent_size=2, n_outputs=4, activation="tanh"))
    with pytest.raises(ValueError, match="network mlp or dcgan with relu"):
        folded_layers(other)


def test_the_demo_says_how_many_colors_a_pixel_has(generator):
    for shape, channels in (((2, 2), 1), ((1, 1, 3), 3)):
        demo = render_gan_demo(generator, ("a", "b"), shape, "x")
        model = model_of(demo)
        assert (model["height"], model["width"], model["channels"]) == (*shape[:2], channels)
