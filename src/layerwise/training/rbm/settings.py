"""How a machine learns: rates, chains, regularisers."""

from __future__ import annotations

from typing import Literal

from layerwise.utils.config import Config, setting


class ContrastiveDivergenceSettings(Config):
    """How a machine learns: the rate, k and what regularises it."""

    learning_rate: float = setting(
        0.1, "r, the size of the steps, where no unit is Gaussian", "0.05 to 0.1", gt=0
    )
    final_learning_rate: float | None = setting(
        None, "r of the last epoch, reached linearly; null: r stays", "0 for likelihoods and samples", ge=0
    )
    momentum: float = setting(0.5, "the share of the last step that goes on, at first", "0.5", ge=0, lt=1)
    final_momentum: float = setting(
        0.9, "the same after momentum_epochs", "0.5 for persistent chains", ge=0, lt=1
    )
    momentum_epochs: int = setting(5, "epochs with the first momentum", "", ge=0)
    weight_decay: float = setting(2e-4, "each step also takes r times this share of the weights", "", ge=0)
    steps: int = setting(1, "k: Gibbs steps of the chains in each update", "1 to learn features", ge=1)
    final_steps: int | None = setting(
        None, "k of the last epoch, reached linearly; null: k stays", "25 for likelihoods", ge=1
    )
    sample_visible: bool = setting(
        False, "draw the visible states of a chain, in place of their means", "true for counts"
    )
    chain: Literal["data", "persistent", "tempered"] = setting(
        "data",
        "where the model's statistics come from: chains that start at the batch (CD-k), persistent ones, or such at "
        "several temperatures",
        "persistent for likelihoods",
    )
    chains: int = setting(100, "persistent chains", "as many as rows in a batch", "chain: data", ge=1)
    temperatures: int = setting(
        10, "temperatures of each tempered chain", "", "chain: data, persistent", ge=2
    )
    centred: bool = setting(
        False,
        "subtract the units' means in the gradient (Melchior et al. 2016)",
        "Gaussian units, likelihoods",
    )
    offset_rate: float = setting(
        0.01,
        "how fast the means that are subtracted follow the data's, a share a step",
        "",
        "centred: false",
        ge=0,
        le=1,
    )
    sparsity_target: float | None = setting(
        None, "wanted mean activity of a hidden unit, 0 to 1; null: none", "0.01 to 0.1", gt=0, lt=1
    )
    sparsity_cost: float = setting(
        0.1,
        "weight of the pull to sparsity_target",
        "until the activity is as asked for",
        "sparsity_target: null",
        ge=0,
    )
    sparsity_memory: float = setting(
        0.9, "decay of the running mean activity that is compared", "", "sparsity_target: null", ge=0, lt=1
    )
    dropout: float = setting(
        0.0, "share of hidden units left out of each update", "0.5 in wide layers", ge=0, lt=1
    )
    variance_rate: float = setting(
        0.1, "multiplies r for learnt variances", "", "units without a learnt variance", ge=0
    )
    bfloat16: bool = setting(
        False, "take the products in 16 bits; weights stay float32", "twice as fast on AVX512-BF16 or CUDA"
    )
