"""Noise on the inputs of a denoising autoencoder (Vincent et al. 2010, section 3.3), drawn anew for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from layerwise.data.tensors import ColumnBlock
from layerwise.utils.config import Choice

CorruptionName = Literal["none", "masking", "gaussian", "salt_and_pepper", "swap"]

CORRUPTIONS: dict[str, Choice] = {
    "none": Choice("the row itself", "a bottleneck or a penalty does the work"),
    "masking": Choice("a column becomes 0 with the probability corruption_level", "pictures, ratings; 0.25"),
    "gaussian": Choice("N(0, corruption_level^2) is added", "real inputs; 0.1 to 0.5"),
    "salt_and_pepper": Choice("a column becomes 0 or 1, by a fair coin", "pictures in [0, 1]; 0.1 to 0.25"),
    "swap": Choice("a column takes another row's value of it", "tables: what comes in is real; 0.15"),
}


def column_groups(blocks: Sequence[ColumnBlock]) -> Tensor:
    """Return which columns share their fate, (n_inputs,): dummies of one category do, pixels do not."""
    groups, count = [], 0
    for block in blocks:
        size = block.stop - block.start
        if block.kind == "categorical":
            groups += [count] * size
            count += 1
        else:
            groups += list(range(count, count + size))
            count += size
    return torch.tensor(groups)


class Corruption:
    """Damage a batch at random and leave the original as it is.

    Args:
        kind: of the noise.
        level: the share of damaged columns, or the standard deviation of `gaussian`.
        rng: where the draws come from, on the device of the batches.
        groups: (n_inputs,) columns of one number are damaged together; by default each on its own.
    """

    def __init__(
        self, kind: CorruptionName, level: float, rng: torch.Generator, groups: Tensor | None = None
    ) -> None:
        self.kind, self.level, self.rng = kind, level, rng
        together = groups is not None and int(groups.max()) + 1 < len(groups)
        self.groups = groups if together else None

    def __call__(self, rows: Tensor) -> Tensor:
        """Return a damaged copy, shape of rows (n, n_inputs)."""
        if self.kind == "none" or self.level == 0:
            return rows
        if self.kind == "gaussian":
            return torch.empty_like(rows).normal_(0, self.level, generator=self.rng).add_(rows)
        uniform = self._sample_uniform(rows)
        corrupted = uniform < self.level
        if self.kind == "masking":
            return rows.masked_fill(corrupted, 0)
        if self.kind == "salt_and_pepper":
            # Below the level the draw is uniform again, and its half is a fair coin.
            return torch.where(corrupted, (uniform < self.level / 2).to(rows.dtype), rows)
        others = self._other_rows(rows, corrupted)
        return torch.where(corrupted, rows.gather(0, others), rows)

    def _sample_uniform(self, rows: Tensor) -> Tensor:
        if self.groups is None:
            return torch.empty_like(rows).uniform_(generator=self.rng)
        groups = self.groups.to(rows.device)
        drawn = rows.new_empty(len(rows), int(groups.max()) + 1).uniform_(generator=self.rng)
        return drawn[:, groups]

    def _other_rows(self, rows: Tensor, corrupted: Tensor) -> Tensor:
        """Return from which row each column comes, never from its own, shape of rows."""
        n = len(rows)
        if n < 2:
            return torch.zeros_like(corrupted, dtype=torch.int64)
        width = rows.shape[1] if self.groups is None else int(self.groups.max()) + 1
        steps = torch.randint(1, n, (n, width), generator=self.rng, device=rows.device)
        others = (torch.arange(n, device=rows.device)[:, None] + steps) % n
        return others if self.groups is None else others[:, self.groups.to(rows.device)]

    def state_dict(self) -> dict[str, Tensor]:
        """Return what drawing changes."""
        return {"rng": self.rng.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        self.rng.set_state(state["rng"])
