"""How well items are ranked for users: NDCG and recall of the first ten, beside popularity and item neighbors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from layerwise.utils import Config

RANKED = 10
NEIGHBORS = (20, 50, 100, 200)
# A similarity of few common users is shrunk, as if so many more had rated one of the two items alone.
SIMILARITY_SHRINKAGE = 10.0


class Ranking(NamedTuple):
    """Means over users: the normalized discounted cumulative gain, and the recall, of the first ten items."""

    ndcg: float
    recall: float


class RankingReport(Config):
    """How a network, popularity and item neighbors rank the items that users have not rated.

    `rating_weight` is the network's, chosen on validation ratings: 0 ranks by popularity alone. `neighbors` is how many
    of an item count, chosen alike. `users` are those with a held-out rating above the mean.
    """

    users: int
    rating_weight: float
    neighbors: int
    network: Ranking
    popularity: Ranking
    item_knn: Ranking

    def metrics(self) -> dict[str, float]:
        """Return the means by name."""
        named = {"": self.network, "popularity/": self.popularity, "item_knn/": self.item_knn}
        return {
            f"{name}{metric}_at_{RANKED}": getattr(ranking, metric)
            for name, ranking in named.items()
            for metric in ("ndcg", "recall")
        }

    def __str__(self) -> str:
        return (
            f"NDCG@{RANKED} of {self.users} users: {self.network.ndcg:.4f} (popularity {self.popularity.ndcg:.4f}, "
            f"item neighbors {self.item_knn.ndcg:.4f}); recall@{RANKED} {self.network.recall:.4f} "
            f"({self.popularity.recall:.4f}, {self.item_knn.recall:.4f})"
        )


def rankings(scores: Tensor, seen: Tensor, relevant: Tensor, n: int = RANKED) -> tuple[Tensor, Tensor]:
    """Return NDCG and recall of the first n items for each user who has a relevant one, each (m,).

    NDCG = sum over relevant items among the first n of 1 / log2(1 + rank), over its largest value; recall is the part
    of the relevant items that are among them (Jarvelin & Kekalainen 2002).

    Args:
        scores: (users, items).
        seen: (users, items) what is not recommended.
        relevant: (users, items) what should be.
        n: how many are recommended.
    """
    has_any = relevant.any(1)
    scores, seen, relevant = scores[has_any], seen[has_any], relevant[has_any]
    n = min(n, scores.shape[1])
    first = scores.masked_fill(seen, -torch.inf).argsort(dim=1, descending=True, stable=True)[:, :n]
    hits = relevant.gather(1, first).double()
    discounts = 1 / torch.arange(2, n + 2, dtype=torch.float64, device=scores.device).log2()
    counts = relevant.sum(1)
    ideal = discounts.cumsum(0)[counts.clamp_max(n) - 1]
    return hits @ discounts / ideal, hits.sum(1) / counts


def mean_ranking(scores: Tensor, seen: Tensor, relevant: Tensor, n: int = RANKED) -> Ranking:
    """Return the means of `rankings` over users; 0 where no user has a relevant item."""
    ndcg, recall = rankings(scores, seen, relevant, n)
    return Ranking(float(ndcg.mean()), float(recall.mean())) if len(ndcg) else Ranking(0.0, 0.0)


def item_knn_scores(rated: Tensor, neighbors: int) -> Tensor:
    """Return the sum of each item's similarities to those that a user has rated, (users, items).

    The similarity is the cosine of the items' users, shrunk; of each item the largest ones count (Sarwar et al. 2001).

    Args:
        rated: (users, items) 1 where there is a rating.
        neighbors: how many similarities of an item count.
    """
    rated = rated.double()
    common, norms = rated.T @ rated, rated.sum(0).sqrt()
    similarity = common / (norms[:, None] * norms + SIMILARITY_SHRINKAGE)
    similarity.fill_diagonal_(0)
    if neighbors < len(similarity):
        least = similarity.topk(neighbors, dim=0).values[-1]
        similarity = similarity * (similarity >= least)
    return rated @ similarity


def evaluate_ranking(
    scores: Tensor, training: Tensor, validation: Tensor, test: Tensor, rating_weight: float
) -> RankingReport:
    """Return how the held-out items that users like are ranked, among all that they have not rated before.

    A user likes what he rates above the mean of the training ratings.

    Args:
        scores: (users, items) the network's.
        training, validation, test: (users, items) ratings, NaN where there is none.
        rating_weight: of the network's scores.
    """
    mean, rated = training.nanmean(), ~training.isnan()
    popularity = rated.sum(0).double().expand(rated.shape)
    by_neighbors = {k: item_knn_scores(rated, k) for k in NEIGHBORS}
    chosen = max(by_neighbors, key=lambda k: mean_ranking(by_neighbors[k], rated, validation > mean).ndcg)
    seen, liked = rated | ~validation.isnan(), test > mean
    return RankingReport(
        users=int(liked.any(1).sum()),
        rating_weight=rating_weight,
        neighbors=chosen,
        network=mean_ranking(scores, seen, liked),
        popularity=mean_ranking(popularity, seen, liked),
        item_knn=mean_ranking(by_neighbors[chosen], seen, liked),
    )
