"""How well items are ranked for users: NDCG and recall of the first ten, beside popularity and item neighbors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from layerwise.utils import Config

RANKED = 10
# A similarity of few common users is shrunk, as if so many more had rated one of the two items alone.
SIMILARITY_SHRINKAGE = 10.0
ITEMS_AT_A_TIME = 4000


class Ranking(NamedTuple):
    """Means over users: the normalized discounted cumulative gain, and the recall, of the first ten items."""

    ndcg: float
    recall: float


class RankingReport(Config):
    """How a network, popularity and item neighbors rank the items that users have not rated.

    `users` are those with a held-out rating above the mean.
    """

    users: int
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


def mean_ranking(scores: Tensor, seen: Tensor, relevant: Tensor) -> Ranking:
    """Return the means of `rankings` over users; 0 where no user has a relevant item."""
    ndcg, recall = rankings(scores, seen, relevant)
    return Ranking(float(ndcg.mean()), float(recall.mean())) if len(ndcg) else Ranking(0.0, 0.0)


def item_neighbors(rated: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the n nearest neighbors of each item, and how similar they are, each (items, n).

    The similarity is the cosine of the items' users, shrunk where few are common (Sarwar et al. 2001).

    Args:
        rated: (users, items) bool.
        n: how many; at most all others.
    """
    ones = rated.double()
    norms, found = ones.sum(0).sqrt(), []
    for start in range(0, ones.shape[1], ITEMS_AT_A_TIME):
        part = slice(start, start + ITEMS_AT_A_TIME)
        similarity = (ones[:, part].T @ ones) / (norms[part, None] * norms + SIMILARITY_SHRINKAGE)
        itself = torch.arange(len(similarity), device=similarity.device)
        similarity[itself, itself + start] = 0
        found.append(similarity.topk(min(n, len(norms) - 1), dim=1))
    return torch.cat([each.indices for each in found]), torch.cat([each.values for each in found])


def item_regressions(rated: Tensor, ridge: float, n: int) -> tuple[Tensor, Tensor]:
    """Return the n items that say most of whether one rates an item, and their weights, each (items, n).

    The weights are those of the ridge regression of each column of `rated` on all others, in closed form: an
    autoencoder without hidden units (Steck 2019). Unlike similarities they can be negative.

    Args:
        rated: (users, items) bool.
        ridge: shrinks the weights.
        n: how many are kept, those of largest weight; at most all others.
    """
    ones = rated.double()
    inverse = torch.linalg.inv(
        ones.T @ ones + ridge * torch.eye(ones.shape[1], dtype=ones.dtype, device=ones.device)
    )
    weights = -(inverse / inverse.diagonal()).T
    weights.fill_diagonal_(0)
    largest = weights.abs().topk(min(n, ones.shape[1] - 1), dim=1).indices
    return largest, weights.gather(1, largest)


def evaluate_ranking(
    network: Tensor, item_knn: Tensor, training: Tensor, validation: Tensor, test: Tensor
) -> RankingReport:
    """Return how the held-out items that users like are ranked, among all that they have not rated before.

    A user likes what he rates above the mean of the training ratings.

    Args:
        network: (users, items) the model's scores.
        item_knn: (users, items) the sums of similarities alone.
        training, validation, test: (users, items) ratings, NaN where there is none.
    """
    mean, rated = training.nanmean(), ~training.isnan()
    popularity = rated.sum(0).double().expand(rated.shape)
    seen, liked = rated | ~validation.isnan(), test > mean
    return RankingReport(
        users=int(liked.any(1).sum()),
        network=mean_ranking(network, seen, liked),
        popularity=mean_ranking(popularity, seen, liked),
        item_knn=mean_ranking(item_knn, seen, liked),
    )
