import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import ndcg_score
from torch import nan

from layerwise.evaluation.unsupervised import (
    evaluate_ranking,
    item_neighbors,
    item_regressions,
    mean_ranking,
    rankings,
)


def test_ndcg_is_scikit_learns_and_recall_is_counted():
    rng = np.random.default_rng(0)
    scores, relevant = rng.normal(size=(6, 30)), rng.random((6, 30)) < 0.2
    relevant[0] = False
    relevant[1, :3] = True
    none = torch.zeros(6, 30, dtype=torch.bool)
    ndcg, recall = rankings(torch.tensor(scores), none, torch.tensor(relevant), 10)
    expected = [ndcg_score(relevant[k : k + 1], scores[k : k + 1], k=10) for k in range(1, 6)]
    np.testing.assert_allclose(ndcg, expected, rtol=1e-12)
    first = np.argsort(-scores, 1)[:, :10]
    counted = [relevant[k, first[k]].sum() / relevant[k].sum() for k in range(1, 6)]
    np.testing.assert_allclose(recall, counted)


def test_what_a_user_has_seen_is_not_ranked():
    scores = torch.tensor([[3.0, 2.0, 1.0]])
    seen, relevant = torch.tensor([[True, False, False]]), torch.tensor([[False, False, True]])
    assert mean_ranking(scores, seen, relevant) == (pytest.approx(1 / math.log2(3)), 1.0)
    assert mean_ranking(scores, seen, torch.zeros_like(seen)) == (0.0, 0.0)


def test_item_neighbors_are_those_of_the_largest_shrunken_cosines():
    rated = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]], dtype=torch.bool)
    norms = rated.sum(0).double().sqrt()

    def cosine(i, j):
        return float((rated[:, i] & rated[:, j]).sum() / (norms[i] * norms[j] + 10))

    neighbors, similarities = item_neighbors(rated, 2)
    assert neighbors[0].tolist() == [1, 2]
    assert similarities[0].tolist() == pytest.approx([cosine(0, 1), cosine(0, 2)])
    # That of item 3, which one user alone rates, is 2, and then any that no user has in common.
    assert int(neighbors[3, 0]) == 2
    assert similarities[3].tolist() == pytest.approx([cosine(3, 2), 0])
    assert item_neighbors(rated, 10)[0].shape == (4, 3)


def test_items_weights_are_those_of_the_ridge_regression_on_all_others():
    rated = torch.rand(60, 5, generator=torch.Generator().manual_seed(0)) < 0.4
    neighbors, weights = item_regressions(rated, 3.0, 4)
    columns = rated.double().numpy()
    for k in range(5):
        others = [j for j in range(5) if j != k]
        ridge = Ridge(alpha=3.0, fit_intercept=False).fit(columns[:, others], columns[:, k])
        expected = dict(zip(others, ridge.coef_, strict=True))
        found = dict(zip(neighbors[k].tolist(), weights[k].tolist(), strict=True))
        assert found == pytest.approx(expected)
    kept, _ = item_regressions(rated, 3.0, 2)
    assert torch.equal(kept, neighbors[:, :2])


def test_items_that_are_liked_in_other_parts_are_the_relevant_ones():
    training = torch.tensor([[1.0, nan, nan, nan], [nan, 5.0, nan, nan]])
    validation = torch.tensor([[nan, 5.0, nan, nan], [nan, nan, nan, nan]])
    test = torch.tensor([[nan, nan, 5.0, nan], [nan, nan, nan, 1.0]])
    scores = torch.tensor([[4.0, 3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    found = evaluate_ranking(scores, -scores, training, validation, test)
    # Of the first user items 0 and 1 are known, and 2 comes next; the second one likes nothing.
    assert (found.users, found.network) == (1, (1.0, 1.0))
    assert found.item_knn == (pytest.approx(1 / math.log2(3)), 1.0)
    assert found.metrics()["popularity/recall_at_10"] == 1.0
