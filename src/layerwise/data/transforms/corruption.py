"""Noise on the inputs of a denoising autoencoder (Vincent et al. 2010, section 3.3), sampled anew for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from layerwise.data.data_spec import ColumnBlock
from layerwise.utils import Choice, ranks

CorruptionName = Literal["none", "masking", "gaussian", "salt_and_pepper", "swap"]

CORRUPTIONS: dict[str, Choice] = {
    "none": Choice("the row itself", "a bottleneck or a penalty does the work"),
    "masking": Choice("a column becomes 0 with the probability corruption_level", "images, ratings; 0.25"),
    "gaussian": Choice("N(0, corruption_level^2) is added", "real inputs; 0.1 to 0.5"),
    "salt_and_pepper": Choice("a column becomes 0 or 1, by a fair coin", "images in [0, 1]; 0.1 to 0.25"),
    "swap": Choice("a column takes another row's value of it", "tables: what comes in is real; 0.15"),
}


def column_groups(blocks: Sequence[ColumnBlock]) -> Tensor:
    """Return a group number for each column, (n_inputs,); columns of one group are corrupted together.

    A group is whatever comes from one raw column: the dummies of a category, the parts of a date, a number and its
    indicator of empty cells. A pixel is a group of its own.
    """
    groups: list[int] = []
    of_raw_column: dict[str, int] = {}
    count = 0
    for block in blocks:
        size = block.stop - block.start
        if block.raw or block.kind == "categorical":
            group = of_raw_column.setdefault(block.raw, count) if block.raw else count
            groups += [group] * size
            count += group == count
        else:
            groups += range(count, count + size)
            count += size
    return torch.tensor(groups)


class Corruption:
    """Corrupt a copy of a batch at random.

    Args:
        kind: of the noise.
        level: the fraction of corrupted columns, or the standard deviation of `gaussian`.
        rng: samples the noise, on the device of the batches.
        groups: (n_inputs,) columns with the same number are corrupted together; by default each on its own.
    """

    def __init__(
        self, kind: CorruptionName, level: float, rng: torch.Generator, groups: Tensor | None = None
    ) -> None:
        self.kind, self.level, self.rng = kind, level, rng
        has_groups = groups is not None and int(groups.max()) + 1 < len(groups)
        self.groups = groups.to(rng.device) if groups is not None and has_groups else None
        self.n_groups = int(self.groups.max()) + 1 if self.groups is not None else 0

    def __call__(self, rows: Tensor) -> Tensor:
        """Return a corrupted copy, shape of rows (n, n_inputs)."""
        if self.kind == "none" or self.level == 0:
            return rows
        if self.kind == "gaussian":
            return ranks.normal_(torch.empty_like(rows), self.rng, self.level).add_(rows)
        uniform = self._sample_uniform(rows)
        corrupted = uniform < self.level
        if self.kind == "masking":
            return rows.masked_fill(corrupted, 0)
        if self.kind == "salt_and_pepper":
            # Below the level the number is uniform again, and being in its lower half is a fair coin.
            return torch.where(corrupted, (uniform < self.level / 2).to(rows.dtype), rows)
        source_rows = self._sample_source_rows(rows, corrupted)
        return torch.where(corrupted, rows.gather(0, source_rows), rows)

    def _sample_uniform(self, rows: Tensor) -> Tensor:
        if self.groups is None:
            return ranks.uniform_(torch.empty_like(rows), self.rng)
        uniform = ranks.uniform_(rows.new_empty(len(rows), self.n_groups), self.rng)
        return uniform[:, self.groups]

    def _sample_source_rows(self, rows: Tensor, corrupted: Tensor) -> Tensor:
        """Return from which row each column comes, never from its own, shape of rows."""
        n = len(rows)
        if n < 2:
            return torch.zeros_like(corrupted, dtype=torch.int64)
        width = rows.shape[1] if self.groups is None else self.n_groups
        steps = torch.randint(1, n, (n, width), generator=self.rng, device=rows.device)
        source_rows = (torch.arange(n, device=rows.device)[:, None] + steps) % n
        return source_rows if self.groups is None else source_rows[:, self.groups]

    def reason_against_ranks(self) -> str:
        """Return why rows can't be corrupted in parts of a batch; empty when they can."""
        return "swap noise takes values from other rows of the batch" if self.kind == "swap" else ""

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state of the random generator."""
        return {"rng": self.rng.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        self.rng.set_state(state["rng"])
