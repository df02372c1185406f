"""Log-probabilities of rows under a variational autoencoder, in nats (Burda, Grosse & Salakhutdinov 2016)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerwise.data.transforms import binarize_once
from layerwise.evaluation.likelihood.finite import finite
from layerwise.models.autoencoder import LatentVariableModel, evidence_lower_bound, log_weights
from layerwise.utils import Config, torch_rng

ELBO_DRAWS = 10


class Binarization(Config):
    """How pixels became 0 or 1: in training by `preprocessing.binarize`, and of the test rows."""

    training: str
    test: str


class VariationalLikelihood(Config):
    """Bounds on the mean log-probability of rows, in nats.

    Args:
        elbo: with one sample a row: less the two terms after it.
        reconstruction: the mean of -log p(x | z).
        kl_divergence: of the posterior from the prior.
        log_prob: with `samples` importance samples a row.
        standard_error: of that over rows; None of a single row.
        samples: of each row.
        rows: how many.
        binarization: None where pixels are no binary units.
    """

    elbo: float
    reconstruction: float
    kl_divergence: float
    log_prob: float
    standard_error: float | None
    samples: int
    rows: int
    binarization: Binarization | None = None

    def metrics(self) -> dict[str, float]:
        """Return both bounds by name."""
        return {"elbo": self.elbo, "log_prob": self.log_prob}

    def __str__(self) -> str:
        how = self.binarization
        return (
            f"Log-probability of a test row: at least {self.log_prob:.2f} nats with {self.samples} samples, "
            f"{self.elbo:.2f} with one; binarisation: "
            + ("none" if how is None else f"{how.training} in training, {how.test}")
        )


def variational_likelihood(
    vae: LatentVariableModel, rows: Tensor, samples: int, trained_on: str, seed: int
) -> VariationalLikelihood:
    """Bound log p of rows, with one sample a row and with many; grey pixels are binarized by one draw.

    Args:
        vae: on the device to compute on.
        rows: (n, n_inputs) test rows.
        samples: importance samples of each row.
        trained_on: how pixels were binarized in training.
        seed: of the run.
    """
    device, binarization = next(vae.parameters()).device, None
    if vae.output.binary:
        given, rows = rows, binarize_once(rows, torch_rng(seed, "likelihood", "ink"))
        how = "as prepared" if rows is given else "one draw"
        binarization = Binarization(training=trained_on, test=how)
    rows = rows.to(device)
    terms = elbo_terms(vae, rows, torch_rng(seed, "likelihood", "bound", device=device))
    rng = torch_rng(seed, "likelihood", "draws", device=device)
    each = importance_weighted_log_prob(vae, rows, samples, rng)
    return VariationalLikelihood(
        **terms,
        log_prob=finite(float(each.mean()), "the bound on the rows' log-probability"),
        standard_error=float(each.std() / len(each) ** 0.5) if len(each) > 1 else None,
        samples=samples,
        rows=len(rows),
        binarization=binarization,
    )


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


def elbo_terms(vae: LatentVariableModel, rows: Tensor, rng: torch.Generator) -> dict[str, float]:
    """Return the means over rows of the evidence lower bound and of its two terms, in nats.

    Args:
        vae: the model.
        rows: (n, n_inputs).
        rng: samples the latents, of each row `ELBO_DRAWS`.
    """
    with torch.no_grad():
        terms = [evidence_lower_bound(vae, rows, rng) for _ in range(ELBO_DRAWS)]
    reconstruction = float(torch.stack([loss for loss, _ in terms]).mean())
    kl = float(terms[0][1].sum(1).mean())
    return {"elbo": -reconstruction - kl, "reconstruction": reconstruction, "kl_divergence": kl}
