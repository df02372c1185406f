"""Activations and initialisers by name."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

Activation = Literal[
    "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "softplus", "linear"
]
Initialiser = Literal[
    "zeros", "normal", "uniform", "xavier_uniform", "glorot_uniform", "glorot_normal",
    "he_uniform", "he_normal", "lecun_normal", "lecun_uniform", "orthogonal",
]  # fmt: skip
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
INITIALISERS: tuple[str, ...] = get_args(Initialiser)

_MODULES: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "prelu": nn.PReLU,
    "elu": nn.ELU, "selu": nn.SELU, "gelu": nn.GELU, "silu": nn.SiLU, "softplus": nn.Softplus,
    "linear": nn.Identity,
}  # fmt: skip


def activation(name: Activation) -> nn.Module:
    """Return a new module of the named activation."""
    return _MODULES[name]()


def initialise_(weight: Tensor, name: Initialiser, generator: torch.Generator) -> None:
    """Fill a weight (fan_out m, fan_in n) in place.

    `xavier_uniform` is U(-1/sqrt(n), 1/sqrt(n)). Glorot & Bengio 2010: uniform bound sqrt(6/(n+m)), normal
    variance 2/(n+m). He et al. 2015: uniform bound sqrt(6/n), normal variance 2/n. LeCun et al. 1998:
    variance 1/n. `normal` has standard deviation 0.05 and `uniform` bound 0.05. `orthogonal` is Saxe et al.
    2014.
    """
    m, n = weight.shape
    bounds = {
        "uniform": 0.05,
        "xavier_uniform": 1 / math.sqrt(n),
        "glorot_uniform": math.sqrt(6 / (n + m)),
        "he_uniform": math.sqrt(6 / n),
        "lecun_uniform": math.sqrt(3 / n),
    }
    deviations = {
        "normal": 0.05,
        "glorot_normal": math.sqrt(2 / (n + m)),
        "he_normal": math.sqrt(2 / n),
        "lecun_normal": math.sqrt(1 / n),
    }
    with torch.no_grad():
        if name in bounds:
            weight.uniform_(-bounds[name], bounds[name], generator=generator)
        elif name in deviations:
            weight.normal_(0, deviations[name], generator=generator)
        elif name == "orthogonal":
            nn.init.orthogonal_(weight, generator=generator)
        else:
            weight.zero_()
