"""What is known of items that are rated: how many rate them, their mean ratings, and latents to fold new users in by."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.utils import Config

# A mean of few ratings is shrunk towards the global one, as if so many more ratings were equal to that.
SHRINKAGE = 5.0


class RecommenderConfig(Config):
    """The shape, and the two numbers that were chosen on validation ratings.

    `latent_size` is 0 where the rows of the network beside it are users, which then predicts ratings itself. `ridge`
    shrinks a user's weights of the latents; `rating_weight` is that of an expected rating beside popularity.
    """

    kind: Literal["recommender"] = "recommender"
    n_items: int = Field(ge=1)
    latent_size: int = Field(default=0, ge=0)
    ridge: float = Field(default=1.0, gt=0)
    rating_weight: float = Field(default=1.0, ge=0)


@register_network(RecommenderConfig)
class Recommender(nn.Module):
    """Scores of items for a user.

    A user who rates many items rates those that many rate, and likes those that he rates high: an item's score is
    log(popularity) + weight * expected rating. The weight 0 recommends what is popular to everyone.

    Where the rows of the network are items, a user who was not among its columns is folded in: his ratings less the
    items' means are a ridge regression on the items' latents, with a free intercept that is shrunk as a mean is.

    Args:
        config: the shape.
    """

    popularity: Tensor
    item_means: Tensor
    latents: Tensor

    def __init__(self, config: RecommenderConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("popularity", torch.zeros(config.n_items))
        self.register_buffer("item_means", torch.zeros(config.n_items))
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

    def scores(self, expected: Tensor) -> Tensor:
        """Return by what items are ranked, of expected ratings (..., n_items)."""
        return (self.popularity.double() + 1).log() + self.config.rating_weight * expected.double()
