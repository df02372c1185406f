"""The typed results on likelihoods."""

import pytest
import torch

from layerwise.evaluation.likelihood import LikelihoodSettings, rbm_likelihood, variational_likelihood
from layerwise.evaluation.likelihood.partition import exact_log_partition
from layerwise.models.autoencoder import VAE, VAEConfig
from layerwise.models.rbm import RBM, RBMConfig


def test_an_exact_likelihood_is_minus_free_energy_less_log_z():
    rbm = RBM(RBMConfig(n_visible=5, n_hidden=3), torch.Generator().manual_seed(0))
    training, test = torch.randint(0, 2, (2, 8, 5), generator=torch.Generator().manual_seed(1)).float()
    found = rbm_likelihood(rbm, training, test, LikelihoodSettings(method="exact"), 0, images=True)
    log_z = exact_log_partition(rbm)
    for name, rows in (("test", test), ("training", training)):
        expected = float((-rbm.free_energy(rows).double() - log_z).mean())
        of = found.log_probability[name]
        assert of.low == of.high == of.midpoint == pytest.approx(expected, abs=1e-6)
        assert of.n_rows == 8
    logged = found.metrics()
    assert logged["test/log_prob"] == found.log_probability["test"].midpoint
    assert logged["log_partition"] == pytest.approx(log_z)
    assert type(found).model_validate_json(found.model_dump_json()) == found


def test_gray_pixels_are_binarized_by_one_draw_of_the_seed():
    rbm = RBM(RBMConfig(n_visible=5, n_hidden=3), torch.Generator().manual_seed(0))
    gray = torch.full((50, 5), 0.5)
    settings = LikelihoodSettings(method="exact")
    first, again, other = (rbm_likelihood(rbm, gray, gray, settings, seed, images=True) for seed in (0, 0, 1))
    assert first.log_probability == again.log_probability
    assert first.log_probability != other.log_probability
    assert (
        first.log_probability["test"] != first.log_probability["training"]
    )  # each part has draws of its own


@pytest.mark.parametrize(
    ("loss", "rows", "how"),
    [
        ("binary_cross_entropy", torch.full((6, 4), 0.5), ("dynamic", "one draw")),
        ("binary_cross_entropy", torch.ones(6, 4), ("dynamic", "as prepared")),
        ("gaussian", torch.full((6, 4), 0.5), None),
    ],
)
def test_bounds_say_how_pixels_were_binarized(loss, rows, how):
    config = VAEConfig(n_inputs=4, hidden_sizes=(5,), latent_size=2, loss=loss)
    vae = VAE(config, torch.Generator().manual_seed(0)).eval()
    found = variational_likelihood(vae, rows, 30, "dynamic", 0)
    assert found.elbo == pytest.approx(-found.reconstruction - found.kl_divergence)
    assert found.metrics() == {"elbo": found.elbo, "log_prob": found.log_prob}
    assert (found.samples, found.rows) == (30, 6)
    if how is None:
        assert found.binarization is None
    else:
        assert (found.binarization.training, found.binarization.test) == how


def test_the_error_of_a_single_row_is_not_known():
    config = VAEConfig(n_inputs=4, hidden_sizes=(5,), latent_size=2, loss="gaussian")
    vae = VAE(config, torch.Generator().manual_seed(0)).eval()
    assert variational_likelihood(vae, torch.zeros(1, 4), 5, "none", 0).standard_error is None
