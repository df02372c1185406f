"""Layers without a start of their own; activations and initializers by name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from layerwise.data import ImageShape, images_to_rows, rows_to_images
from layerwise.utils import Choice

Activation = Literal[
    "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "softplus", "linear"
]
Initializer = Literal[
    "zeros", "normal", "uniform", "xavier_uniform", "glorot_uniform", "glorot_normal",
    "he_uniform", "he_normal", "lecun", "lecun_normal", "lecun_uniform", "orthogonal",
]  # fmt: skip
BiasInitializer = Literal["zeros", "constant", "normal", "uniform", "xavier_uniform"]
Normalization = Literal["none", "batch", "layer"]
PreluSlopes = Literal["layer", "unit"]
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
INITIALIZERS: tuple[str, ...] = get_args(Initializer)

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


class RowsToImages(nn.Module):
    """Rows (n, values) as images (n, channels, height, width)."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, rows: Tensor) -> Tensor:
        """Return the images."""
        return rows_to_images(rows, self.shape)


class ImagesToRows(nn.Module):
    """Images (n, channels, height, width) as rows (n, values)."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the rows."""
        return images_to_rows(images)


class Linear(nn.Linear):
    """A linear layer whose weights are yet to be initialized or loaded: torch's global random numbers are not used."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are; `torch.nn.utils.skip_init` needs the meta device, half a second to import."""


class Conv2d(nn.Conv2d):
    """A convolution whose weights are yet to be initialized or loaded."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution whose weights are yet to be initialized or loaded."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


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


def normalization(name: Normalization, units: int) -> nn.Module:
    """Return a layer that standardises the pre-activations of a hidden layer.

    `batch` over the rows of a batch, with running means in evaluation (Ioffe & Szegedy 2015); `layer` over
    the units of each row (Ba et al. 2016).
    """
    if name == "batch":
        return nn.BatchNorm1d(units)
    return nn.LayerNorm(units) if name == "layer" else nn.Identity()


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
