"""The pages' own scripts, run by a browser, give what the networks give."""

import json
import re
import shutil
import subprocess

import pytest
import torch
from helpers.seeded import seeded

from layerwise.evaluation.demos import DEMO_ACTIVATIONS, render_gan_demo, render_rbm_demo, render_vae_demo
from layerwise.models.autoencoder import VAE, VAEConfig
from layerwise.models.gan import Generator, GeneratorConfig
from layerwise.models.rbm import RBM, RBMConfig

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
SHAPE = (3, 4)


def run_in_browser(page, script, path):
    """Return what a script says at the end of a page, and check that nothing is fetched from elsewhere."""
    assert not re.search(r"(src|href)=|https?://|@import|fetch\(", page)
    path.write_text(
        page.replace("</body>", f"<script>document.title = JSON.stringify({script});</script></body>")
    )
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(re.search("<title>(.*)</title>", found.stdout)[1])


@pytest.fixture(scope="module", params=[0.0, 0.5])
def rbm(request):
    network = RBM(RBMConfig(n_visible=12, n_hidden=5, dropout=request.param), seeded())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(1)))
    return network


@pytest.mark.skipif(not BROWSER, reason="there is no chromium")
def test_the_page_of_an_rbm_reconstructs_what_it_does(rbm, tmp_path):
    rows = torch.rand(2, 12, generator=seeded(2))
    page = render_rbm_demo(rbm, SHAPE, rows)
    # The page begins with the first row; a step later the chain has moved and the drawing has not.
    script = (
        "[Array.from(v), Array.from(hiddenMeans(v)), Array.from(reconstruct(v)), "
        "(step(), document.getElementById('steps').textContent), state.every(p => p === 0 || p === 1), Array.from(v)]"
    )
    drawn, hidden, reconstructed, steps, is_binary, after = run_in_browser(
        page, script, tmp_path / "rbm.html"
    )
    torch.testing.assert_close(torch.tensor(drawn), rows[0])
    with torch.no_grad():
        torch.testing.assert_close(torch.tensor(hidden), rbm.hidden_mean(rows[:1])[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(
            torch.tensor(reconstructed), rbm.reconstruct(rows[:1])[0], atol=1e-5, rtol=0
        )
    assert (steps, is_binary, after) == ("1", True, drawn)


@pytest.mark.skipif(not BROWSER, reason="there is no chromium")
def test_the_page_of_a_variational_autoencoder_decodes_as_it_does(tmp_path):
    z, found = torch.randn(1, 3, generator=seeded(2)), {}
    # One page with the decoders of all activations: a browser takes a second to start.
    networks = {
        name: VAE(VAEConfig(n_inputs=12, hidden_sizes=(6, 5), latent_size=3, activation=name), seeded(k))
        for k, name in enumerate(DEMO_ACTIVATIONS)
    }
    for name, network in networks.items():
        latents = torch.tensor([[0.0, 1.0, 4.0], [0.0, 2.0, -4.0], z[0].tolist()])
        page = render_vae_demo(network, SHAPE, latents)
        found[name] = re.search(r"const model = (.*), RANGE", page)[1]
    values = json.dumps(z[0].tolist())
    script = "[axes," + ",".join(
        f"(layers.splice(0, 9, ...{text}.layers.map(l => ({{n: l.inputs, weight: floats(l.weight), "
        f"bias: floats(l.bias)}}))), model.activation = '{name}', Array.from(decode({values})))"
        for name, text in found.items()
    )
    axes, *decoded = run_in_browser(page, script + "]", tmp_path / "vae.html")
    assert axes == [2, 1]
    for network, pixels in zip(networks.values(), decoded, strict=True):
        with torch.no_grad():
            torch.testing.assert_close(torch.tensor(pixels), network.decode(z)[0], atol=1e-5, rtol=0)


@pytest.mark.skipif(not BROWSER, reason="there is no chromium")
def test_the_sliders_and_the_classes_of_a_generators_page_draw_what_it_generates(tmp_path):
    shape = GeneratorConfig(latent_size=3, n_conditions=2, n_outputs=12, hidden_sizes=(6, 5))
    network = Generator(shape, seeded()).eval()
    page = render_gan_demo(network, ("zero", "one"), SHAPE, "A generator")
    # The second class, the third slider as a hand moves it; what is drawn, then all at 0 again.
    script = (
        "(() => { document.querySelectorAll('#classes button')[1].click();"
        "const slider = document.querySelectorAll('#sliders input')[2];"
        "slider.value = 1.5; slider.dispatchEvent(new Event('input'));"
        "const gray = () => Array.from(context.getImageData(0, 0, model.width, model.height).data)"
        ".filter((_, k) => k % 4 === 0);"
        "const moved = gray(), said = document.querySelectorAll('#sliders output')[2].textContent;"
        "document.getElementById('zero').click();"
        "return [moved, said, gray(), document.querySelectorAll('#classes [aria-pressed=true]').length]; })()"
    )
    moved, said, zero, pressed = run_in_browser(page, script, tmp_path / "gan.html")
    with torch.no_grad():
        rows = network(
            torch.tensor([[0.0, 0.0, 1.5], [0.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0]]).repeat(2, 1)
        )
    assert (said, pressed) == ("1.50", 1)
    # A pixel is a whole number of 255.
    torch.testing.assert_close(torch.tensor([moved, zero]) / 255, rows, atol=0.51 / 255, rtol=0)
    assert moved != zero


def test_networks_that_the_scripts_cannot_run_are_refused(rbm):
    gaussian = RBM(RBMConfig(n_visible=12, n_hidden=5, visible="gaussian"))
    with pytest.raises(ValueError, match="for Bernoulli units, and these are gaussian, bernoulli"):
        render_rbm_demo(gaussian, SHAPE, torch.zeros(1, 12))
    other = VAE(VAEConfig(n_inputs=12, latent_size=3, activation="selu"))
    with pytest.raises(ValueError, match="and this is selu"):
        render_vae_demo(other, SHAPE, torch.zeros(1, 3))
