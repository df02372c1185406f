"""From settings to torch's optimisers."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn, optim

from layerwise.training.optim.settings import OPTIMIZERS, OptimizerName, OptimizerSettings

_KINDS: dict[OptimizerName, type[optim.Optimizer]] = {
    "sgd": optim.SGD, "momentum": optim.SGD, "nesterov": optim.SGD, "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop, "adadelta": optim.Adadelta, "adam": optim.Adam, "adamax": optim.Adamax,
    "adamw": optim.AdamW, "nadam": optim.NAdam,
}  # fmt: skip
_BARE: dict[type[optim.Optimizer], type[optim.Optimizer]] = {}


def make_optimizer(settings: OptimizerSettings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the named optimiser over the parameters; settings that are None have torch's own value."""
    name = settings.optimizer
    given = {use: getattr(settings, use) for use in OPTIMIZERS[name].uses}
    given = {use: value for use, value in given.items() if value is not None}
    options: dict[str, Any] = {}
    if name in ("momentum", "nesterov"):
        options["momentum"] = given.pop("momentum", 0.9)
        options["nesterov"] = name == "nesterov"
    if "beta_1" in given or "beta_2" in given:
        options["betas"] = (given.pop("beta_1", 0.9), given.pop("beta_2", 0.999))
    if "epsilon" in given:
        options["eps"] = given.pop("epsilon")
    if "rho" in given:
        options["alpha" if name == "rmsprop" else "rho"] = given.pop("rho")
    if name == "adamw":
        # torch's own default of 0.01 would decay the weights of someone who set nothing.
        options["weight_decay"] = given.pop("weight_decay", 0.0)
    if name in ("adam", "adamw"):
        options["fused"] = True
    kind, optimized = _KINDS[name], list(parameters)
    options |= device_options(kind, optimized, settings.learning_rate)
    return without_compiler(kind)(optimized, **options)


def without_compiler(kind: type[optim.Optimizer]) -> type[optim.Optimizer]:
    """Return an optimiser's class whose methods do the same and do not import torch's compiler first.

    torch wraps these methods for `torch.compile`, and each wrapper imports `torch._dynamo`: two seconds of a run.
    """
    if kind in _BARE:
        return _BARE[kind]
    methods = ("add_param_group", "state_dict", "load_state_dict")
    bare: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in methods}
    bare["zero_grad"] = _zero_grad
    # The wrapper of a step also switches gradients off.
    bare["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    _BARE[kind] = type(kind.__name__, (kind,), bare | {"__module__": __name__, "__doc__": kind.__doc__})
    return _BARE[kind]


def _zero_grad(optimizer: optim.Optimizer, set_to_none: bool = True) -> None:
    """Forget the gradients; torch's own also asks its profiler, for a twentieth of a small network's step."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()


def device_options(
    kind: type[optim.Optimizer], parameters: Sequence[nn.Parameter], learning_rate: float
) -> dict[str, Any]:
    """Return an optimiser's learning rate and what else it needs so that its steps can be captured on a GPU.

    There the steps are counted on the GPU, and the rate is a tensor that a captured step reads each time.
    """
    device = parameters[0].device
    if device.type != "cuda" or kind is optim.Adagrad:
        return {"lr": learning_rate}
    rate = torch.tensor(learning_rate, dtype=torch.float32, device=device)
    return {"lr": rate, "fused": True} if kind is optim.SGD else {"lr": rate, "capturable": True}


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter the rate, in place where it is a tensor."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def python_rates(*optimizers: torch.optim.Optimizer) -> tuple[float, ...]:
    """Return the learning rates that are Python numbers, which a captured step would keep."""
    rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    return tuple(rate for rate in rates if not isinstance(rate, torch.Tensor))


def reason_against_capture(settings: OptimizerSettings) -> str:
    """Return why an optimiser's steps can't be captured; empty when they can."""
    return "adagrad counts its steps on the CPU" if settings.optimizer == "adagrad" else ""
