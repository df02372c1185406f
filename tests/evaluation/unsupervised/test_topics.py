import math

import numpy as np
import pytest
import torch
from helpers.seeded import seeded

from layerwise.data import TensorData
from layerwise.evaluation.likelihood.partition import exact_log_partition
from layerwise.evaluation.unsupervised import lda_perplexity, perplexity, top_words, unigram_perplexity
from layerwise.evaluation.unsupervised.topics import document_log_probability
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.training import fit
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings

TOPICS, WORDS_EACH = 4, 6


def synthetic_documents(n, seed):
    """Each document draws nine in ten of its words from one topic's words, the rest from all."""
    rng = np.random.default_rng(seed)
    words = TOPICS * WORDS_EACH
    rows = np.zeros((n, words), dtype=np.float32)
    for row in rows:
        p = np.full(words, 0.1 / words)
        topic = rng.integers(TOPICS)
        p[topic * WORDS_EACH : (topic + 1) * WORDS_EACH] += 0.9 / WORDS_EACH
        row += rng.multinomial(rng.integers(15, 40), p)
    return torch.from_numpy(rows)


@pytest.fixture(scope="module")
def trained():
    training = synthetic_documents(800, 1)
    rbm = RBM(RBMConfig(n_visible=24, n_hidden=6, visible="counts"), seeded())
    rbm.initialize_from(training)
    settings = ContrastiveDivergenceSettings(
        learning_rate=0.01, final_learning_rate=0.0, sample_visible=True, steps=1, final_steps=5
    )
    plan = ContrastiveDivergence(rbm, settings, seeded(1))
    fit(plan, TensorData(training), epochs=60, batch_size=20, rng=seeded(2))
    return rbm, training


def test_synthetic_topics_are_recovered(trained):
    # A unit may stand for a topic by being on, or for the others by being off: look at a topic's hidden state.
    rbm, _ = trained
    p = torch.softmax(rbm.visible_bias + _hidden_states(rbm) @ rbm.weight.t(), 1)
    for topic in range(TOPICS):
        own = slice(topic * WORDS_EACH, (topic + 1) * WORDS_EACH)
        assert float(p[topic, own].sum()) > 0.8
        assert set(p[topic].topk(WORDS_EACH).indices.tolist()) == set(range(own.start, own.stop))


def _hidden_states(rbm):
    """The hidden states of long documents of one topic each."""
    rows = torch.zeros(TOPICS, TOPICS * WORDS_EACH)
    for topic in range(TOPICS):
        rows[topic, topic * WORDS_EACH : (topic + 1) * WORDS_EACH] = 4
    return rbm.hidden_mean(rows)


def test_the_top_words_of_a_unit_are_words_of_one_topic(trained):
    rbm, _ = trained
    words = [f"{topic}{k}" for topic in range(TOPICS) for k in range(WORDS_EACH)]
    found = top_words(rbm, words, 4)
    assert len(found) == 6
    pure = [len({word[0] for word in unit}) == 1 for unit in found]
    assert sum(pure) >= 3


def test_held_out_perplexity_is_far_below_that_of_independent_words_and_near_the_true_one(trained):
    rbm, training = trained
    test = synthetic_documents(60, 2)
    found, by_reverse = perplexity(rbm, test, training.sum(0, keepdim=True), seeded(), temperatures=200)
    log_p = -rbm.free_energy(test) - torch.tensor([exact_log_partition(rbm, int(row.sum())) for row in test])
    exact = math.exp(-float((log_p / test.sum(1)).mean()))
    assert found == pytest.approx(exact, rel=0.02)
    # The way back starts at documents, which miss states of this RBM: alone, it flatters them.
    assert by_reverse < 0.97 * exact
    unigram = unigram_perplexity(test, training.sum(0, keepdim=True))
    assert found < 0.65 * unigram
    # Nine in ten words of six: exp of the entropy of the generating mixture of known topics bounds it from below.
    p = torch.tensor([0.9 / 6 + 0.1 / 24] * 6 + [0.1 / 24] * 18, dtype=torch.float64)
    assert found > 0.9 * math.exp(-float((p * p.log()).sum()))
    lda = lda_perplexity(training, test, TOPICS, 0)
    assert 0.7 < found / lda < 1.2


def test_the_perplexity_is_that_of_the_exact_partition_functions():
    rbm = RBM(RBMConfig(n_visible=5, n_hidden=3, visible="counts")).double()
    for value in rbm.parameters():
        value.normal_(0, 0.5, generator=seeded(3))
    documents = torch.tensor([[1.0, 0, 2, 0, 0], [0, 3, 1, 1, 2]], dtype=torch.float64)
    log_p = [-rbm.free_energy(row[None])[0] - exact_log_partition(rbm, int(row.sum())) for row in documents]
    expected = math.exp(-float((log_p[0] / 3 + log_p[1] / 7) / 2))
    low, high = perplexity(
        rbm, documents, documents.sum(0, keepdim=True), seeded(), temperatures=400, chains=200
    )
    assert low == pytest.approx(expected, rel=0.01)
    assert high == pytest.approx(expected, rel=0.01)


def test_a_mode_of_the_model_that_no_document_has_counts_all_the_same():
    # Words 1 with the hidden unit off, or words 2 with it on, as likely; every document is of word 1.
    rbm = RBM(RBMConfig(n_visible=2, n_hidden=1, visible="counts")).double()
    rbm.weight.copy_(torch.tensor([[-8.0], [8.0]]))
    rbm.visible_bias.copy_(torch.tensor([4.0, -4.0]))
    documents = torch.tensor([[20.0, 0.0]], dtype=torch.float64).repeat(20, 1)
    log_p = -float(rbm.free_energy(documents[:1])) - exact_log_partition(rbm, 20)
    exact = math.exp(-log_p / 20)
    assert exact == pytest.approx(2 ** (1 / 20), abs=1e-3)
    found, _ = perplexity(rbm, documents, documents.sum(0, keepdim=True), seeded(), chains=50)
    assert found == pytest.approx(exact, abs=0.005)


def test_independent_words_have_the_perplexity_of_their_frequencies():
    counts = torch.tensor([[99.5, 299.5]])
    documents = torch.tensor([[1.0, 1.0], [0.0, 4.0]])
    expected = math.exp(-((math.log(0.25) + math.log(0.75)) / 2 + math.log(0.75)) / 2)
    assert unigram_perplexity(documents, counts) == pytest.approx(expected)


def test_a_document_under_known_topics_has_the_probability_of_the_integral_over_proportions():
    phi = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=torch.float64)
    row, prior = (
        torch.tensor([3.0, 0.0, 2.0], dtype=torch.float64),
        torch.tensor([0.5, 1.5], dtype=torch.float64),
    )
    # Over the proportion of the first topic, by the midpoint rule on a grid that is densest at the singular end.
    u = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    fraction, width = u**2, 2 * u / 200_000
    density = torch.distributions.Beta(0.5, 1.5).log_prob(fraction).exp()
    words = fraction[:, None] * phi[0] + (1 - fraction[:, None]) * phi[1]
    expected = math.log(float((density * width * (words**row).prod(1)).sum()))
    posterior = torch.tensor([3.0, 3.5], dtype=torch.float64)
    found = document_log_probability(row, phi.log(), prior, posterior, np.random.default_rng(0), 200_000)
    assert found == pytest.approx(expected, abs=0.02)
