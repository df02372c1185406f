"""The head of a generator of table rows: tanh for numbers, Gumbel-softmax for categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from layerwise.utils import Config, ranks


class OutputBlock(Config):
    """Neighbouring outputs that belong together: a number in (-1, 1), or the categories of a column."""

    kind: Literal["tanh", "softmax"]
    size: int = Field(ge=1)


def gumbel_softmax(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """Return a relaxed one-hot sample a row: softmax((logits + g) / temperature), g standard Gumbel noise.

    Jang, Gu and Poole 2017, equation 2; Maddison, Mnih and Teh 2017. Its largest entry is an exact sample of
    softmax(logits), at any temperature.

    Args:
        logits: (n, categories).
        temperature: above 0; near 0 the rows become one-hot.
        rng: draws the noise.

    Returns:
        (n, categories), rows that sum to 1.
    """
    uniform = ranks.uniform_(logits.new_empty(logits.shape, dtype=torch.float32), rng)
    noise = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
    return functional.softmax((logits + noise) / temperature, dim=1)


class TableOutput(nn.Module):
    """Apply to each block of outputs its own activation.

    Args:
        blocks: what the outputs are, in order.
        temperature: of the Gumbel-softmax.
    """

    def __init__(self, blocks: Sequence[OutputBlock], temperature: float) -> None:
        super().__init__()
        self.blocks, self.temperature = tuple(blocks), temperature
        self.rng: torch.Generator | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Return rows (n, outputs): numbers in (-1, 1), categories that sum to 1."""
        if self.rng is None:
            raise RuntimeError("Gumbel noise needs a random generator: call use_rng first")
        parts = []
        for block, part in zip(self.blocks, values.split([b.size for b in self.blocks], dim=1), strict=True):
            if block.kind == "tanh":
                parts.append(torch.tanh(part))
            else:
                parts.append(gumbel_softmax(part, self.temperature, self.rng))
        return torch.cat(parts, dim=1)
