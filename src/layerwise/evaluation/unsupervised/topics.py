"""Held-out documents: perplexity under the replicated softmax and beside latent Dirichlet allocation; top words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerwise.data import SparseTensorData
from layerwise.evaluation.likelihood import (
    LikelihoodSettings,
    ais_log_weights,
    annealing_schedule,
    reverse_ais_log_weights,
    sample_rows,
)
from layerwise.evaluation.metrics import as_array
from layerwise.models.rbm import RBM
from layerwise.utils import Config, derive_seed, numpy_rng, torch_rng

LDA_ITERATIONS = 20
CHAINS = 5
AT_A_TIME = 2000
# By which factor two estimates of one perplexity may differ.
MOST_APART = 1.5


def doubt_perplexity(metrics: Mapping[str, float]) -> str:
    """Return why a perplexity is no figure to compare by: AIS and reverse AIS are far apart. Empty if they are not.

    Args:
        metrics: by their names, among them `perplexity` and `perplexity_reverse_ais` if these were measured.
    """
    both = [metrics.get(name) for name in ("perplexity", "perplexity_reverse_ais")]
    if None in both:
        return ""
    low, high = sorted(float(each or 0.0) for each in both)
    if high <= MOST_APART * low:
        return ""
    return f"AIS says a perplexity of {both[0]:.4g} and reverse AIS {both[1]:.4g}: neither is a figure to compare by"


class TopicReport(Config):
    """Perplexities of held-out documents under an RBM, LDA with as many topics, and independent words; top words."""

    perplexity: float
    perplexity_reverse_ais: float
    unigram_perplexity: float
    lda_perplexity: float
    documents: int
    top_words: tuple[tuple[str, ...], ...]
    # Of each hidden unit over the training documents: what a document's are compared with.
    mean_activations: tuple[float, ...] = ()

    def metrics(self) -> dict[str, float]:
        """Return the perplexities by name."""
        found: dict[str, float] = self.model_dump(exclude={"documents", "top_words", "mean_activations"})
        return found

    def __str__(self) -> str:
        way_back = f"{self.perplexity_reverse_ais:.0f} by reverse AIS"
        if self.perplexity_reverse_ais < self.perplexity:
            way_back += " (which bounds nothing: documents miss states of this RBM)"
        doubt = doubt_perplexity(self.metrics())
        return (
            f"Perplexity of {self.documents} test documents: {self.perplexity:.0f} by AIS, {way_back}; LDA "
            f"{self.lda_perplexity:.0f}, independent words {self.unigram_perplexity:.0f}"
        ) + (f". {doubt}" if doubt else "")


def evaluate_topics(
    rbm: RBM,
    training: SparseTensorData,
    documents: Tensor,
    words: Sequence[str],
    settings: LikelihoodSettings,
    seed: int,
) -> TopicReport:
    """Return the perplexities of documents (n, words), and the words that each hidden unit stands for.

    Args:
        rbm: count visible units, on the CPU.
        training: the documents that it has learnt from.
        documents: other ones.
        words: what each column counts.
        settings: of the annealing.
        seed: of the run.
    """
    sums = training.column_sums()
    by_ais, by_reverse_ais = perplexity(
        rbm,
        documents,
        sums,
        torch_rng(seed, "perplexity"),
        temperatures=settings.temperatures,
        chains=CHAINS,
        reverse_steps=settings.reverse_steps,
    )
    return TopicReport(
        perplexity=by_ais,
        perplexity_reverse_ais=by_reverse_ais,
        unigram_perplexity=unigram_perplexity(documents, sums),
        lda_perplexity=lda_perplexity(training.matrix, documents, rbm.config.n_hidden, seed),
        documents=len(documents),
        top_words=tuple(map(tuple, top_words(rbm, words))),
        mean_activations=mean_activations(rbm, training),
    )


def mean_activations(rbm: RBM, documents: SparseTensorData) -> tuple[float, ...]:
    """Return each hidden unit's mean activation over documents."""
    total = torch.zeros(rbm.config.n_hidden, dtype=torch.float64, device=rbm.weight.device)
    with torch.no_grad():
        for start in range(0, len(documents), AT_A_TIME):
            part = documents[slice(start, start + AT_A_TIME)].inputs
            total += rbm.hidden_mean(part).double().sum(0)
    return tuple((total / max(len(documents), 1)).tolist())


def perplexity(
    rbm: RBM,
    documents: Tensor,
    training_counts: Tensor,
    rng: torch.Generator,
    *,
    temperatures: int = 300,
    chains: int = 5,
    reverse_steps: int = 50,
) -> tuple[float, float]:
    """Return exp(-mean over documents of log p(v) / D), from AIS and from reverse AIS of each document's own log Z_D.

    AIS is optimistic (its log Z is low on average); Salakhutdinov & Hinton (2009, section 5.1) use it alone. It starts
    at the training documents' frequencies and at equal ones, which find what documents miss; the larger log Z counts.
    Reverse AIS should start at samples of the RBM and starts at Gibbs steps from the document, so that it bounds only
    as far as those have mixed: where it gives the lower perplexity, they have not, and it says nothing.

    Args:
        rbm: count visible units.
        documents: (n, words) held-out counts.
        training_counts: (1, words) the training documents' counts, for the independent words to anneal from.
        rng: samples the states.
        temperatures: between independent words and the RBM.
        chains: for each document.
        reverse_steps: Gibbs steps from the document before annealing back.
    """
    base, betas = rbm.visible_units.initial_bias(training_counts), annealing_schedule(temperatures)
    start = documents.repeat_interleave(chains, 0)
    lengths = documents.sum(1).double()
    forward = ais_log_weights(rbm, base, betas, len(start), rng, start.sum(1)).view(-1, chains)
    start = sample_rows(rbm, start, reverse_steps, rng)
    backward = reverse_ais_log_weights(rbm, base, betas, start, rng).view(-1, chains)
    even = torch.zeros_like(base)
    from_even = ais_log_weights(rbm, even, betas, len(start), rng, start.sum(1)).view(-1, chains)
    low = torch.maximum(forward.logsumexp(1), from_even.logsumexp(1)) - math.log(chains)
    high = math.log(chains) - (-backward).logsumexp(1)
    unnormalized = rbm.bound(documents)
    by_ais, by_reverse_ais = (
        math.exp(-float(((unnormalized - log_z) / lengths).mean())) for log_z in (low, high)
    )
    return by_ais, by_reverse_ais


def unigram_perplexity(documents: Tensor, training_counts: Tensor) -> float:
    """Return the perplexity of independent words of the training frequencies, half a word added to each count."""
    counts = training_counts[0].double() + 0.5
    log_p = (counts / counts.sum()).log()
    return math.exp(-float(((documents.double() @ log_p) / documents.sum(1)).mean()))


def lda_perplexity(training: Any, documents: Any, n_topics: int, seed: int, n_samples: int = 200) -> float:
    """Return the perplexity of scikit-learn's latent Dirichlet allocation, a mean over documents as the others are.

    p(v) = E_theta prod_k (theta phi_k)^v_k with theta ~ Dirichlet(alpha), by importance sampling from the variational
    posterior of each document (Wallach et al. 2009). (scikit-learn's own `perplexity` is a bound that counts the
    uncertainty of the topics against however few documents it is given.)

    Args:
        training: (n, words) counts, dense or as a SciPy sparse matrix.
        documents: (n, words) counts.
        n_topics: of the allocation.
        seed: of the run.
        n_samples: of theta, for each document.
    """
    from scipy.sparse import csr_matrix, issparse
    from sklearn.decomposition import LatentDirichletAllocation

    state = derive_seed(seed, "lda") % 2**32
    lda = LatentDirichletAllocation(
        n_topics, max_iter=LDA_ITERATIONS, learning_method="online", random_state=state
    )
    lda.fit(training if issparse(training) else csr_matrix(as_array(training)))
    rows = torch.from_numpy(as_array(documents)).double()
    topics = torch.from_numpy(lda.components_).double()
    log_phi = (topics / topics.sum(1, keepdim=True)).log()
    prior = torch.full((n_topics,), 1.0 / n_topics, dtype=torch.float64, device="cpu")
    proportions = torch.from_numpy(lda.transform(csr_matrix(rows.numpy()))).double()
    total = 0.0
    rng = numpy_rng(seed, "lda", "draws")
    for row, row_proportions in zip(rows, proportions, strict=True):
        posterior = row_proportions * (prior.sum() + row.sum())
        log_p = document_log_probability(row, log_phi, prior, posterior, rng, n_samples)
        total += log_p / float(row.sum())
    return math.exp(-total / len(rows))


def document_log_probability(
    row: Tensor, log_phi: Tensor, prior: Tensor, proposal: Tensor, rng: np.random.Generator, n_samples: int
) -> float:
    """Return log p(v) of one document under topics log_phi (topics, words), by importance sampling of its topics.

    Args:
        row: (words,) counts.
        log_phi: logarithms of the topics' words.
        prior: (topics,) Dirichlet parameters of the topic proportions.
        proposal: (topics,) Dirichlet parameters to sample from.
        rng: samples the topic proportions.
        n_samples: how many.
    """
    theta = torch.from_numpy(rng.dirichlet(proposal.numpy(), n_samples)).clamp_min(1e-300)
    theta = theta / theta.sum(1, keepdim=True)
    present = row.nonzero()[:, 0]
    log_p_words = (theta.log()[:, :, None] + log_phi[None][:, :, present]).logsumexp(1)
    log_weights = _log_dirichlet(theta, prior) - _log_dirichlet(theta, proposal)
    return float((log_p_words @ row[present] + log_weights).logsumexp(0)) - math.log(n_samples)


def _log_dirichlet(theta: Tensor, parameters: Tensor) -> Tensor:
    constant = torch.lgamma(parameters.sum()) - torch.lgamma(parameters).sum()
    return theta.log() @ (parameters - 1) + constant


def top_words(rbm: RBM, words: Sequence[str], n: int = 10) -> list[list[str]]:
    """Return each hidden unit's n words of largest weight: those that become most likely when it is on."""
    best = rbm.weight.topk(min(n, len(words)), dim=0).indices.t()
    return [[words[k] for k in unit] for unit in best.tolist()]
