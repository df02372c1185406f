"""Initializers of weights and biases by name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from layerwise.utils import Choice

Initializer = Literal[
    "zeros", "normal", "uniform", "xavier_uniform", "glorot_uniform", "glorot_normal",
    "he_uniform", "he_normal", "lecun", "lecun_normal", "lecun_uniform", "orthogonal",
]  # fmt: skip
BiasInitializer = Literal["zeros", "constant", "normal", "uniform", "xavier_uniform"]
INITIALIZERS: tuple[str, ...] = get_args(Initializer)

INITIALIZER_CHOICES: dict[str, Choice] = {
    "zeros": Choice("0", "the output layer; in hidden layers all units stay identical"),
    "normal": Choice("N(0, 0.05^2)", "shallow nets"),
    "uniform": Choice("U(-0.05, 0.05)", "shallow nets"),
    "xavier_uniform": Choice(
        "U(-1/sqrt(n), 1/sqrt(n)), the older form that courses teach; Glorot's is glorot_uniform",
        "sigmoid and tanh, as a course has it",
    ),
    "glorot_uniform": Choice("U(-sqrt(6/(n+m)), sqrt(6/(n+m)))", "sigmoid and tanh; the output layer"),
    "glorot_normal": Choice("N(0, 2/(n+m))", "sigmoid and tanh"),
    "he_uniform": Choice("U(-sqrt(6/n), sqrt(6/n))", "relu and its family"),
    "he_normal": Choice("N(0, 2/n)", "relu and its family"),
    "lecun": Choice("N(0, 1/n), the same as lecun_normal", "selu"),
    "lecun_normal": Choice("N(0, 1/n)", "selu"),
    "lecun_uniform": Choice("U(-sqrt(3/n), sqrt(3/n))", "selu"),
    "orthogonal": Choice("rows or columns of a random rotation", "very deep or recurrent nets"),
}


def initialize_(
    weight: Tensor,
    name: Initializer,
    rng: torch.Generator,
    gain: float = 1.0,
    fans: tuple[float, float] | None = None,
) -> None:
    """Fill a weight (fan_out m, fan_in n) in place, and multiply it by a gain.

    `xavier_uniform` is U(-1/sqrt(n), 1/sqrt(n)), not Glorot's. Glorot & Bengio 2010: uniform bound
    sqrt(6/(n+m)), normal variance 2/(n+m). He et al. 2015: uniform bound sqrt(6/n), normal variance 2/n. LeCun et al.
    1998: variance 1/n. `normal` has standard deviation 0.05 and `uniform` bound 0.05. `orthogonal` is Saxe et al.
    2014. A layer whose units have other numbers of connections than its weight's shape says, such as a transposed
    convolution, gives them as `fans`, m and n.
    """
    m, n = fans or weight.shape
    bounds = {
        "uniform": 0.05,
        "xavier_uniform": 1 / math.sqrt(n),
        "glorot_uniform": math.sqrt(6 / (n + m)),
        "he_uniform": math.sqrt(6 / n),
        "lecun_uniform": math.sqrt(3 / n),
    }
    standard_deviations = {
        "normal": 0.05,
        "glorot_normal": math.sqrt(2 / (n + m)),
        "he_normal": math.sqrt(2 / n),
        "lecun": math.sqrt(1 / n),
        "lecun_normal": math.sqrt(1 / n),
    }
    with torch.no_grad():
        if name in bounds:
            weight.uniform_(-bounds[name], bounds[name], generator=rng)
        elif name in standard_deviations:
            weight.normal_(0, standard_deviations[name], generator=rng)
        elif name == "orthogonal":
            nn.init.orthogonal_(weight, generator=rng)
        else:
            weight.zero_()
        if gain != 1:
            weight.mul_(gain)


def initialize_layers_(
    layers: Iterable[nn.Module], name: Initializer, rng: torch.Generator | None, gain: float = 1.0
) -> None:
    """Set the biases of layers to 0, and fill their weights as `initialize_` does; 0 without a random generator."""
    with torch.no_grad():
        for layer in layers:
            assert isinstance(layer, nn.Linear)
            layer.bias.zero_()
            if rng is None:
                layer.weight.zero_()
            else:
                initialize_(layer.weight, name, rng, gain)


def initialize_bias_(
    bias: Tensor, name: BiasInitializer, n_inputs: int, rng: torch.Generator, constant: float = 0.0
) -> None:
    """Fill a bias (m,) in place: zeros, a constant, N(0, 0.05^2), U(-0.05, 0.05) or U(-1/sqrt(n), 1/sqrt(n))."""
    with torch.no_grad():
        if name == "normal":
            bias.normal_(0, 0.05, generator=rng)
        elif name in ("uniform", "xavier_uniform"):
            bound = 0.05 if name == "uniform" else 1 / math.sqrt(n_inputs)
            bias.uniform_(-bound, bound, generator=rng)
        else:
            bias.fill_(constant if name == "constant" else 0.0)
