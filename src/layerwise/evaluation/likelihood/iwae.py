"""Log-probabilities of rows under a variational autoencoder, in nats (Burda, Grosse & Salakhutdinov 2016)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerwise.models.autoencoder import LatentVariableModel, evidence_lower_bound, log_weights


def importance_weighted_log_prob(
    vae: LatentVariableModel,
    rows: Tensor,
    samples: int,
    rng: torch.Generator,
    latents_at_a_time: int = 20_000,
) -> Tensor:
    """Return the importance-weighted lower bound on log p of each row, shape (rows,) (Burda et al. 2016, equation 8).

    With 5,000 samples it is what papers call the log-likelihood. It takes no gradient.

    Args:
        vae: the model.
        rows: (n, n_inputs).
        samples: k, samples of q(z | x) for each row.
        rng: samples them.
        latents_at_a_time: how many are decoded at once; it changes the random numbers and no expectation.
    """
    found = []
    with torch.no_grad():
        at_once = min(samples, latents_at_a_time)
        for part in rows.split(max(1, latents_at_a_time // at_once)):
            total = part.new_full((len(part),), -math.inf)
            done = 0
            while done < samples:
                k = min(at_once, samples - done)
                total = torch.logaddexp(total, log_weights(vae, part, k, rng).logsumexp(0))
                done += k
            found.append(total - math.log(samples))
    return torch.cat(found)


def elbo_terms(
    vae: LatentVariableModel, rows: Tensor, rng: torch.Generator, n_draws: int = 10
) -> dict[str, float]:
    """Return the means over rows of the evidence lower bound and of its two terms, in nats.

    Args:
        vae: the model.
        rows: (n, n_inputs).
        rng: samples the latents.
        n_draws: samples of each row's latent.
    """
    with torch.no_grad():
        terms = [evidence_lower_bound(vae, rows, rng) for _ in range(n_draws)]
    reconstruction = float(torch.stack([loss for loss, _ in terms]).mean())
    kl = float(terms[0][1].sum(1).mean())
    return {"elbo": -reconstruction - kl, "reconstruction": reconstruction, "kl_divergence": kl}
