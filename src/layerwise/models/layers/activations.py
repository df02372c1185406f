"""Activations by name."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from layerwise.utils import Choice

Activation = Literal[
    "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "softplus", "linear"
]
PreluSlopes = Literal["layer", "unit"]
ACTIVATIONS: tuple[str, ...] = get_args(Activation)

LEAKY_SLOPE = 0.01

_MODULES: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU, "selu": nn.SELU, "gelu": nn.GELU,
    "silu": nn.SiLU, "softplus": nn.Softplus, "linear": nn.Identity,
}  # fmt: skip

ACTIVATION_CHOICES: dict[str, Choice] = {
    "sigmoid": Choice(
        "1 / (1 + exp(-x))", "after a pretrained stack; vanishes in deep nets (derivative at most 1/4)"
    ),
    "tanh": Choice("tanh(x)", "nets of few layers, with a Glorot start"),
    "relu": Choice("max(0, x)", "the usual choice, with a He start"),
    "leaky_relu": Choice(
        "x, or a x below 0; a is 0.01 (Keras takes 0.3), leaky_slope of mlp", "when units of relu die"
    ),
    "prelu": Choice(
        "x, or a x below 0; a is learnt, from 0.25: one a layer, or one a unit by prelu_slopes of mlp",
        "when units die and rows are many",
    ),
    "elu": Choice("x, or exp(x) - 1 below 0", "smooth, with outputs of mean near 0"),
    "selu": Choice("1.0507 (x, or 1.6733 (exp(x) - 1) below 0)", "deep plain nets, with a LeCun start"),
    "gelu": Choice("x Phi(x), Phi the normal distribution function", "smooth relu"),
    "silu": Choice("x sigmoid(x)", "smooth relu"),
    "softplus": Choice("log(1 + exp(x))", "positive and smooth outputs"),
    "linear": Choice("x", "bottlenecks and tests: hidden layers collapse into one"),
}


def activation(name: Activation, *, leaky_slope: float = LEAKY_SLOPE, prelu_slopes: int = 1) -> nn.Module:
    """Return a new module of the named activation.

    Args:
        name: of the activation.
        leaky_slope: of `leaky_relu` below 0 (Maas et al. 2013).
        prelu_slopes: how many slopes `prelu` learns: one for all units, or one for each (He et al. 2015).
    """
    if name == "leaky_relu":
        return nn.LeakyReLU(leaky_slope)
    return nn.PReLU(prelu_slopes) if name == "prelu" else _MODULES[name]()


def keep_largest(latent: Tensor, k: int) -> Tensor:
    """Set all but the k largest units of each row to 0 (Makhzani & Frey 2013), shape of latent; k = 0 keeps all.

    Args:
        latent: (rows, units).
        k: units that are kept.
    """
    if k == 0 or k >= latent.shape[-1]:
        return latent
    kept = latent.topk(k, dim=-1, sorted=False).indices
    return torch.zeros_like(latent).scatter(-1, kept, latent.gather(-1, kept))
