import numpy as np
import pytest
import torch
from scipy.stats import entropy

from layerwise.evaluation.generative.inception_score import inception_score, inception_scores
from layerwise.models import MLP, MLPConfig
from layerwise.training.gan import predict_probabilities
from layerwise.utils import torch_rng


def some(n, seed=0, sharpness=2.0):
    scores = np.exp(sharpness * np.random.default_rng(seed).standard_normal((n, 4)))
    return scores / scores.sum(1, keepdims=True)


def test_the_score_is_the_number_of_classes_where_all_are_sure_and_frequent_alike():
    assert inception_score(np.eye(5)[[0, 1, 2, 3, 4] * 3]) == pytest.approx(5)
    assert inception_score(np.eye(5)[[0, 0, 2, 2]]) == pytest.approx(2)


def test_the_score_is_one_where_no_row_differs():
    assert inception_score(np.eye(5)[[1] * 9]) == pytest.approx(1)
    assert inception_score(np.full((7, 3), 1 / 3)) == pytest.approx(1)


def test_the_score_is_the_exponent_of_the_mean_divergence_from_the_mean():
    p = some(50)
    divergences = [entropy(row, p.mean(0)) for row in p]
    assert inception_score(p) == pytest.approx(np.exp(np.mean(divergences)), rel=1e-12)


def test_splits_have_as_many_rows_of_each_kind_in_no_order():
    rng = np.random.default_rng(0)
    # Sorted by class: a split of neighbors would have one class, and the score 1.
    real = np.eye(3)[np.repeat([0, 1, 2], 200)]
    first, second = inception_scores(real, real[:300], rng)
    assert 2.6 < first.mean <= 3
    assert 1.8 < second.mean <= 2
    assert second.low < second.mean < second.high


def test_the_interval_covers_the_score_of_splits_of_that_size_in_nineteen_of_twenty_cases():
    expected = np.mean([inception_score(some(30, seed=k)) for k in range(3000)])
    found = [
        inception_scores(some(300, 10_000 + k), some(300, k), np.random.default_rng(k))[1] for k in range(200)
    ]
    covered = np.mean([each.low <= expected <= each.high for each in found])
    # 200 cases: .95 within three and a half standard errors.
    assert abs(covered - 0.95) < 0.055


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="at least 2 rows"):
        inception_scores(some(1), some(9), np.random.default_rng(0))


@pytest.mark.parametrize("outputs", [1, 3])
def test_probabilities_of_a_classifier_are_those_of_its_outputs(outputs):
    network = MLP(MLPConfig(n_inputs=2, n_outputs=outputs, hidden_sizes=(4,)), torch_rng(0, "w"))
    rows = torch.randn(7, 2, generator=torch_rng(1, "x"))
    found = predict_probabilities(network, rows, batch_size=3)
    torch.testing.assert_close(found.sum(1), torch.ones(7))
    logits = network(rows).detach()
    expected = logits[:, 0].sigmoid() if outputs == 1 else logits.softmax(1)[:, -1]
    torch.testing.assert_close(found[:, -1], expected)
