"""Recommend items: from a network that predicts ratings, and what its training ratings say of the items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.evaluation.unsupervised.ranking import item_neighbors, item_regressions, mean_ranking
from layerwise.models import Recommender, RecommenderConfig
from layerwise.models.autoencoder import RatingAutoencoder
from layerwise.models.rbm import RBM, rating_probabilities
from layerwise.models.recommender import SHRINKAGE

RIDGES = (1.0, 3.0, 10.0, 30.0, 100.0)
NEIGHBORS = (20, 50, 100, 200)
# Of the items' regressions on each other, which are of so many items at most: their matrix is inverted.
ITEM_RIDGES, REGRESSED_ITEMS = (100.0, 300.0, 1000.0), 4000
RATING_WEIGHTS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def rating_matrix(one_hot: Tensor, levels: Sequence[float], by_items: bool) -> Tensor:
    """Return ratings (users, items), NaN where there is none, of one-hot rows that are items or users."""
    groups = one_hot.view(len(one_hot), -1, len(levels))
    values = torch.where(groups.sum(2) > 0, groups @ groups.new_tensor(list(levels)), torch.nan)
    return values.T if by_items else values


def expected_ratings(
    network: nn.Module, recommender: Recommender, ratings: Tensor, levels: Sequence[float]
) -> Tensor:
    """Return the rating that each user is expected to give each item, (users, items) float64.

    Each user is computed alone, so that his have the same bits beside any others.

    Args:
        network: whose rows are users; where they are items, the recommender folds users in.
        recommender: what is known of the items.
        ratings: (users, items), NaN where there is none.
        levels: the values of a rating, in order.
    """
    with torch.no_grad():
        found = [
            recommender.fold_in(user)
            if recommender.config.latent_size
            else _expected_by_network(network, user, levels)
            for user in ratings
        ]
    if not found:
        return ratings.new_zeros(0, recommender.config.n_items, dtype=torch.float64)
    return torch.stack(found).clamp(levels[0], levels[-1])


def _expected_by_network(network: nn.Module, user: Tensor, levels: Sequence[float]) -> Tensor:
    values = torch.tensor(list(levels), dtype=user.dtype, device=user.device)
    row = (user[:, None] == values).to(torch.float32).view(1, -1)
    if isinstance(network, RatingAutoencoder):
        return torch.Tensor(network(row)[0]).double()
    assert isinstance(network, RBM)
    items = torch.arange(len(user), device=user.device)
    p = rating_probabilities(network, row, torch.zeros_like(items), items, len(levels))
    return p.double() @ values.double()


def fit_recommender(
    network: nn.Module, training: Tensor, validation: Tensor, levels: Sequence[float], by_items: bool
) -> tuple[Recommender, Tensor, Tensor]:
    """Return what recommends with a network, the ratings that it expects of the training users, and a baseline.

    Chosen on validation ratings are the ridges, whether items are neighbors by their similarity or by regression, how
    many neighbors there are, and the ratings' weight. The baseline is the interest by similarities alone.

    Args:
        network: trained on the training ratings, on the CPU.
        training: (rows, n_inputs) one-hot.
        validation: other ratings of the same rows.
        levels: the values of a rating, in order.
        by_items: whether a row holds the ratings of an item.
    """
    given, held_out = (rating_matrix(part, levels, by_items) for part in (training, validation))
    rated, mean = ~given.isnan(), given.nanmean()
    latents = _item_latents(network, training) if by_items else given.new_zeros(given.shape[1], 0)
    counts = rated.sum(0)
    found = Recommender(RecommenderConfig(n_items=given.shape[1], latent_size=latents.shape[1]))
    found.popularity.copy_(counts / len(given))
    found.item_means.copy_(mean + (given - mean).nansum(0) / (counts + SHRINKAGE))
    found.latents.copy_(latents)

    def validation_ndcg(scores: Tensor) -> float:
        return mean_ranking(scores, rated, held_out > mean).ndcg

    neighbors, similarities = item_neighbors(rated, NEIGHBORS[-1])
    by_number = [_with_neighbors(found, neighbors[:, :n], similarities[:, :n]) for n in NEIGHBORS]
    interests = [each.interest(rated) for each in by_number]
    item_knn = max(interests, key=validation_ndcg)
    if given.shape[1] <= REGRESSED_ITEMS:
        regressions = (item_regressions(rated, ridge, NEIGHBORS[-1]) for ridge in ITEM_RIDGES)
        by_number += [_with_neighbors(found, *each) for each in regressions]
        interests += [each.interest(rated) for each in by_number[len(NEIGHBORS) :]]
    best = max(range(len(interests)), key=lambda k: validation_ndcg(interests[k]))
    found, interest = by_number[best], interests[best]
    expectations = {
        ridge: expected_ratings(network, _with(found, ridge=ridge), given, levels)
        for ridge in (RIDGES if by_items else RIDGES[:1])
    }
    ridge = min(expectations, key=lambda each: _squared_error(expectations[each], held_out))
    candidates = [_with(found, ridge=ridge, rating_weight=weight) for weight in RATING_WEIGHTS]
    expected = expectations[ridge]
    chosen = max(candidates, key=lambda each: validation_ndcg(each.weigh(interest, expected)))
    return chosen, expected, item_knn


def _with_neighbors(recommender: Recommender, neighbors: Tensor, similarities: Tensor) -> Recommender:
    config = recommender.config.model_copy(update={"n_neighbors": neighbors.shape[1]})
    changed = Recommender(config)
    found = {"neighbors": neighbors, "similarities": similarities.float()}
    changed.load_state_dict(recommender.state_dict() | found)
    return changed


def _item_latents(network: Any, rows: Tensor) -> Tensor:
    """Return the items' latents, each column with mean 0 and variance 1."""
    with torch.no_grad():
        latents = network.encode(rows)
    deviation = latents.std(0)
    scaled: Tensor = (latents - latents.mean(0)) / torch.where(deviation > 1e-6, deviation, 1.0)
    return scaled


def _with(recommender: Recommender, **values: float) -> Recommender:
    changed = Recommender(recommender.config.model_copy(update=values))
    changed.load_state_dict(recommender.state_dict())
    return changed


def _squared_error(expected: Tensor, held_out: Tensor) -> float:
    there = ~held_out.isnan()
    return float(functional.mse_loss(expected[there], held_out[there].double()))
