"""How a machine learns: rates, chains, regularisers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from layerwise.utils.config import Config


class ContrastiveDivergenceSettings(Config):
    """How a machine learns.

    `chain` says where the model's statistics come from: chains that start at the batch (CD-k), persistent ones
    (`chains` of them), or such at several `temperatures`. The rate and k change linearly from the first epoch to
    the last where a final value is given. `offset_rate` is how fast the centring follows the data's means.
    `sparsity_target` is a hidden unit's wanted mean activity, remembered over batches by `sparsity_memory`;
    `dropout` is the share of hidden units left out. `variance_rate` multiplies the rate for learnt variances.
    `bfloat16` takes the products in 16 bits and keeps the weights in float32.
    """

    learning_rate: float = Field(0.1, gt=0)
    final_learning_rate: float | None = Field(None, ge=0)
    momentum: float = Field(0.5, ge=0, lt=1)
    final_momentum: float = Field(0.9, ge=0, lt=1)
    momentum_epochs: int = Field(5, ge=0)
    weight_decay: float = Field(2e-4, ge=0)
    steps: int = Field(1, ge=1)
    final_steps: int | None = Field(None, ge=1)
    sample_visible: bool = False
    chain: Literal["data", "persistent", "tempered"] = "data"
    chains: int = Field(100, ge=1)
    temperatures: int = Field(10, ge=2)
    centred: bool = False
    offset_rate: float = Field(0.01, ge=0, le=1)
    sparsity_target: float | None = Field(None, gt=0, lt=1)
    sparsity_cost: float = Field(0.1, ge=0)
    sparsity_memory: float = Field(0.9, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    variance_rate: float = Field(0.1, ge=0)
    bfloat16: bool = False
