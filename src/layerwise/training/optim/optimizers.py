"""From settings to torch's optimisers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn, optim

from layerwise.training.optim.settings import OPTIMIZERS, OptimizerName, OptimizerSettings

_KINDS: dict[OptimizerName, type[optim.Optimizer]] = {
    "sgd": optim.SGD, "momentum": optim.SGD, "nesterov": optim.SGD, "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop, "adadelta": optim.Adadelta, "adam": optim.Adam, "adamax": optim.Adamax,
    "adamw": optim.AdamW, "nadam": optim.NAdam,
}  # fmt: skip


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
    return _KINDS[name](parameters, lr=settings.learning_rate, **options)  # type: ignore[call-arg]
