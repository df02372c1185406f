"""The squared Frobenius norm of an encoder's Jacobian (Rifai, Vincent, Muller, Glorot & Bengio 2011)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from layerwise.models.autoencoder.base import BaseAutoencoder
from layerwise.models.layers import keep_largest
from layerwise.utils import ranks


def activation_derivative(act: nn.Module, pre_activation: Tensor, value: Tensor) -> Tensor:
    """Return the derivative of an activation at `pre_activation`, of its shape; a gradient flows through it.

    Args:
        act: an activation of `layers.activation`.
        pre_activation: where.
        value: `act(pre_activation)`.

    Raises:
        ValueError: the activation is none of them.
    """
    if isinstance(act, nn.Sigmoid):
        return value * (1 - value)
    if isinstance(act, nn.Tanh):
        return 1 - value.square()
    if isinstance(act, nn.Identity):
        return torch.ones_like(pre_activation)
    if isinstance(act, nn.ReLU):
        return (pre_activation > 0).to(pre_activation.dtype)
    if isinstance(act, nn.LeakyReLU):
        return torch.where(pre_activation > 0, torch.ones_like(pre_activation), act.negative_slope)
    if isinstance(act, nn.PReLU):
        return torch.where(pre_activation > 0, torch.ones_like(pre_activation), act.weight)
    if isinstance(act, nn.ELU):
        return torch.where(pre_activation > 0, torch.ones_like(pre_activation), value + act.alpha)
    if isinstance(act, nn.SELU):
        scale, alpha = 1.0507009873554805, 1.6732632423543772
        return torch.where(pre_activation > 0, torch.full_like(pre_activation, scale), value + scale * alpha)
    if isinstance(act, nn.Softplus):
        return pre_activation.sigmoid()
    if isinstance(act, nn.SiLU):
        gate = pre_activation.sigmoid()
        return gate + value * (1 - gate)
    if isinstance(act, nn.GELU):
        density = (-pre_activation.square() / 2).exp() / math.sqrt(2 * math.pi)
        return torch.special.ndtr(pre_activation) + pre_activation * density
    raise ValueError(f"the derivative of {type(act).__name__} is not known")


def encode_with_jacobian_norm(
    layers: Sequence[nn.Linear], activations: Iterable[nn.Module], x: Tensor, keep: int = 0
) -> tuple[Tensor, Tensor]:
    """Return latents (rows, latent_size) and |J|^2 = sum_ij (dh_i / dx_j)^2 of each row, shape (rows,), exactly.

    One layer: sum_i s'(a_i)^2 |W_i|^2 (equation 7). Several: J = D_L W_L ... D_1 W_1, multiplied out from the latent's
    end, which costs rows x latent x hidden x hidden.

    Args:
        layers: of the encoder.
        activations: of each of them.
        x: (rows, n_inputs).
        keep: the largest units of a latent that are left alone; 0: all.
    """
    derivatives, value = [], x
    for layer, act in zip(layers, activations, strict=True):
        pre_activation = layer(value)
        value = act(pre_activation)
        derivatives.append(activation_derivative(act, pre_activation, value))
    latent = keep_largest(value, keep)
    if keep:
        derivatives[-1] = derivatives[-1] * (latent != 0)
    weights = [layer.weight for layer in layers]
    if len(weights) == 1:
        return latent, derivatives[0].square() @ weights[0].square().sum(1)
    product = derivatives[-1][:, :, None] * weights[-1]
    for weight, derivative in zip(weights[-2:0:-1], derivatives[-2:0:-1], strict=True):
        product = (product * derivative[:, None]) @ weight
    product = product * derivatives[0][:, None]
    first = weights[0]
    if first.shape[0] < first.shape[1]:
        # |P W|^2 = tr(P W W' P'): the wide side of the first layer is summed out once for all rows.
        return latent, ((product @ (first @ first.t())) * product).sum((1, 2))
    return latent, (product @ first).square().sum((1, 2))


def estimate_jacobian_norm(
    encode: Callable[[Tensor], Tensor], x: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return latents and an unbiased estimate of |J|^2 of each row, shape (rows,): E |v' J|^2 with v = +-1.

    Hutchinson 1990: the cheap choice, one more backward pass whatever the depth; its variance falls as training
    averages over batches.

    Args:
        encode: rows (rows, n_inputs) to latents (rows, latent_size).
        x: (rows, n_inputs).
        rng: samples the signs v, on the device of x.
    """
    needs_gradient = torch.is_grad_enabled()
    with torch.enable_grad():
        inputs = x.detach().requires_grad_()
        latent = encode(inputs)
        signs = ranks.uniform_(torch.empty_like(latent), rng, -1, 1).sign_()
        (product,) = torch.autograd.grad(latent, inputs, signs, create_graph=needs_gradient)
    return latent, product.square().sum(1)


def mean_jacobian_norm(network: BaseAutoencoder, x: Tensor, at_a_time: int = 200) -> float:
    """Return the mean over rows of the Frobenius norm |J| (not squared), as the papers' tables give it."""
    with torch.no_grad():
        norms = [network.encode_with_jacobian_norm(part)[1].sqrt() for part in x.split(at_a_time)]
    return float(torch.cat(norms).mean())
