import math

import pytest
import torch
from helpers.seeded import seeded
from torch.distributions import Independent, MultivariateNormal, Normal

from layerwise.evaluation.likelihood import importance_weighted_log_prob
from layerwise.models.autoencoder import (
    VAE,
    VAEConfig,
    evidence_lower_bound,
    importance_weighted_bound,
    kl_divergence,
    log_weights,
    sample_latents,
)


def vae(**shape):
    network = VAE(VAEConfig(**{"n_inputs": 6, "hidden_sizes": (5,), "latent_size": 2} | shape), seeded())
    with torch.no_grad():
        for value in network.parameters():
            value.add_(torch.randn(value.shape, generator=seeded(1)) * 0.2)
    return network.double()


def rows(n=4, d=6):
    return torch.rand(n, d, generator=seeded(2), dtype=torch.float64).round()


def test_the_kl_divergence_is_that_of_the_distributions():
    mean = torch.randn(5, 3, generator=seeded(), dtype=torch.float64)
    log_variance = torch.randn(5, 3, generator=seeded(1), dtype=torch.float64)
    posterior = Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(
        posterior, Normal(torch.zeros_like(mean), torch.ones_like(mean))
    )
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)


def test_log_weights_are_the_three_log_densities():
    network, x = vae(), rows()
    found = log_weights(network, x, 3, seeded(4))
    mean, log_variance = network.posterior(x)
    z, _ = sample_latents(mean, log_variance, seeded(4), 3)
    q = Independent(Normal(mean, (log_variance / 2).exp()), 1).log_prob(z)
    p = Independent(Normal(torch.zeros(2).double(), torch.ones(2).double()), 1).log_prob(z)
    likelihood = torch.distributions.Bernoulli(logits=network.decode_pre_activation(z)).log_prob(x).sum(-1)
    torch.testing.assert_close(found, likelihood + p - q)


def test_one_sample_of_the_importance_weighted_bound_is_the_evidence_lower_bound():
    network, x = vae(), rows(2)
    n = 20_000
    repeated = x.repeat_interleave(n, 0)
    single = importance_weighted_bound(log_weights(network, repeated, 1, seeded(5))).reshape(2, n)
    reconstruction, unit_kl = evidence_lower_bound(network, repeated, seeded(6))
    elbo = -(reconstruction + unit_kl.sum(1)).reshape(2, n)
    error = (single.var(1) / n + elbo.var(1) / n).sqrt()
    assert ((single.mean(1) - elbo.mean(1)).abs() < 4 * error).all()


def test_the_bound_rises_with_k_towards_the_log_probability():
    network, x = vae(), rows()
    # log p(x) by the trapezoid rule over both latent units.
    side = torch.linspace(-6, 6, 301, dtype=torch.float64)
    z = torch.cartesian_prod(side, side)
    log_p = (
        torch.distributions.Bernoulli(logits=network.decode_pre_activation(z)[:, None]).log_prob(x).sum(-1)
    )
    log_p = log_p + Normal(0.0, 1.0).log_prob(z).sum(1, keepdim=True)
    exact = log_p.logsumexp(0) + 2 * math.log(12 / 300)
    bounds = []
    for k in (1, 5, 50):
        draws = torch.stack(
            [importance_weighted_bound(log_weights(network, x, k, seeded(s))) for s in range(400)]
        )
        bounds.append(draws.mean(0))
    assert (bounds[0] < bounds[1]).all()
    assert (bounds[1] < bounds[2]).all()
    assert (bounds[2] < exact + 0.01).all()
    found = importance_weighted_log_prob(network, x, 50_000, seeded(9))
    torch.testing.assert_close(found, exact, rtol=0, atol=0.02)
    assert (found < 0).all()


def test_the_log_probability_does_not_depend_on_how_its_samples_are_split():
    network, x = vae(), rows()
    at_once = importance_weighted_log_prob(network, x, 4000, seeded(), latents_at_a_time=10**6)
    in_parts = importance_weighted_log_prob(network, x, 4000, seeded(), latents_at_a_time=700)
    torch.testing.assert_close(at_once, in_parts, rtol=0, atol=0.1)
    assert not in_parts.requires_grad


def ppca_log_prob(x, k):
    """Log-likelihood of probabilistic PCA at its maximum (Tipping & Bishop 1999, equation 8)."""
    centered = x - x.mean(0)
    covariance = centered.T @ centered / len(x)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0), vectors.flip(1)
    noise = values[k:].mean()
    weight = vectors[:, :k] * (values[:k] - noise).sqrt()
    model = MultivariateNormal(x.mean(0), weight @ weight.T + noise * torch.eye(x.shape[1], dtype=x.dtype))
    return model.log_prob(x).mean()


def test_a_linear_variational_autoencoder_reaches_probabilistic_pca():
    mixing = torch.randn(2, 5, generator=seeded(), dtype=torch.float64)
    x = torch.randn(300, 2, generator=seeded(1), dtype=torch.float64) * torch.tensor([2.0, 1.0]) @ mixing
    x = x + 0.4 * torch.randn(x.shape, generator=seeded(2), dtype=torch.float64) + 1
    shape = VAEConfig(n_inputs=5, hidden_sizes=(), latent_size=2, activation="linear", loss="gaussian")
    network = VAE(shape, seeded(3)).double()
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=300, line_search_fn="strong_wolfe")
    # Antithetic samples whose second moments are exact make the bound of a linear model noiseless.
    noise = torch.stack([s * math.sqrt(2) * axis for axis in torch.eye(2).double() for s in (1, -1)])

    def bound():
        mean, log_variance = network.posterior(x)
        z = mean + (log_variance / 2).exp() * noise[:, None]
        return (
            network.loss(network.decode_pre_activation(z), x).mean(0)
            + kl_divergence(mean, log_variance).sum(1)
        ).mean()

    def closure():
        optimizer.zero_grad()
        value = bound()
        value.backward()
        return value

    optimizer.step(closure)
    assert -float(bound()) == pytest.approx(float(ppca_log_prob(x, 2)), abs=0.01)
    # Of a linear model the bound is tight, and no number of samples can exceed it.
    found = importance_weighted_log_prob(network, x[:50], 2000, seeded())
    assert float(found.mean()) == pytest.approx(
        float(importance_weighted_bound(log_weights(network, x[:50], 1, seeded())).mean()), abs=0.2
    )


def test_means_of_samples_and_reconstructions_have_no_noise_of_their_own():
    network, x = vae(), rows()
    assert torch.equal(network.reconstruct(x), network.reconstruct(x))
    torch.testing.assert_close(network.reconstruct(x[:1]), network.reconstruct(x)[:1])
    float_network = network.float()
    means = float_network.sample(2000, seeded())
    sampled = float_network.sample(2000, seeded(), sample_outputs=True)
    assert set(sampled.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(means.mean(0), sampled.mean(0), rtol=0, atol=0.05)
