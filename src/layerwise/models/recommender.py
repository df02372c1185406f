"""What is known of items that are rated: who rates them, their mean ratings, latents to fold new users in by."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.utils import Config

# A mean of few ratings is shrunk towards the global one, as if so many more ratings were equal to that.
SHRINKAGE = 5.0


class RecommenderConfig(Config):
    """The shape, and what was chosen on validation ratings.

    `latent_size` is 0 where the rows of the network beside it are users, which then predicts ratings itself. `ridge`
    shrinks a user's weights of the latents; `n_neighbors` of an item count; `rating_weight` is that of an expected
    rating beside them.
    """

    kind: Literal["recommender"] = "recommender"
    n_items: int = Field(ge=1)
    latent_size: int = Field(default=0, ge=0)
    n_neighbors: int = Field(default=0, ge=0)
    ridge: float = Field(default=1.0, gt=0)
    rating_weight: float = Field(default=1.0, ge=0)


@register_network(RecommenderConfig)
class Recommender(nn.Module):
    """Scores of items for a user.

    What a user rates is not left to chance: he rates what others rate who rated the same, and likes what he rates high.
    So an item's score is log(interest) + weight * expected rating, where his interest is the sum of its similarities to
    the items that he has rated (item neighbors, Sarwar et al. 2001; or the weights of a regression on them, Steck 2019,
    of which a negative sum counts as none), and a hundredth of the users who rate it.

    Where the rows of the network are items, a user who was not among its columns is folded in: his ratings less the
    items' means are a ridge regression on the items' latents, with a free intercept that is shrunk as a mean is.

    Args:
        config: the shape.
    """

    popularity: Tensor
    neighbors: Tensor
    similarities: Tensor
    item_means: Tensor
    latents: Tensor

    def __init__(self, config: RecommenderConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        # The fraction of the users who rate an item.
        self.register_buffer("popularity", torch.zeros(config.n_items))
        self.register_buffer("item_means", torch.zeros(config.n_items))
        shape = (config.n_items, config.n_neighbors)
        self.register_buffer("neighbors", torch.zeros(shape, dtype=torch.long))
        self.register_buffer("similarities", torch.zeros(shape))
        self.register_buffer("latents", torch.zeros(config.n_items, config.latent_size))

    def fold_in(self, ratings: Tensor) -> Tensor:
        """Return the ratings that a user is expected to give, (n_items,) float64.

        Args:
            ratings: (n_items,) his ratings, NaN where there is none.
        """
        rated = ~ratings.isnan()
        means, latents = self.item_means.double(), self.latents.double()
        known, rest = latents[rated], (ratings.double() - means)[rated]
        intercept = rest.sum() / (len(rest) + SHRINKAGE)
        gram = known.T @ known + self.config.ridge * torch.eye(known.shape[1], dtype=known.dtype)
        weights = torch.linalg.solve(gram, known.T @ (rest - intercept))
        return means + intercept + latents @ weights

    def interest(self, rated: Tensor) -> Tensor:
        """Return the sums of each item's similarities to those that users have rated, (users, n_items) float64.

        A product of sparse matrices goes through a user's ratings one after the other, so that his sums have the same
        bits beside any others.

        Args:
            rated: (users, n_items) bool, on the CPU.
        """
        from scipy.sparse import csr_matrix

        n_items, n_neighbors = self.neighbors.shape
        starts = np.arange(n_items + 1) * n_neighbors
        values, places = self.similarities.double().flatten().numpy(), self.neighbors.flatten().numpy()
        similarities = csr_matrix((values, places, starts), shape=(n_items, n_items))
        found = csr_matrix(rated.numpy(), dtype=np.float64) @ similarities.T.tocsr()
        return torch.from_numpy(found.toarray())

    def scores(self, ratings: Tensor, expected: Tensor) -> Tensor:
        """Return by what items are ranked, (users, n_items) float64.

        Args:
            ratings: (users, n_items) those of users, NaN where there is none.
            expected: (users, n_items) those that they are expected to give.
        """
        return self.weigh(self.interest(~ratings.isnan()), expected)

    def weigh(self, interest: Tensor, expected: Tensor) -> Tensor:
        """Return the scores of what `interest` gives, and of expected ratings."""
        interest = interest.clamp_min(0) + 0.01 * self.popularity.double() + 1e-6
        return interest.log() + self.config.rating_weight * expected.double()
