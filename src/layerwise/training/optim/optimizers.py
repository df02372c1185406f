"""The optimisers by name, each with the settings that it has a use for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn, optim

from layerwise.utils.config import Choice

if TYPE_CHECKING:
    from layerwise.training.supervised.settings import FinetuningSettings

OptimiserName = Literal[
    "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "adamw", "nadam"
]

_ADAM = ("beta_1", "beta_2", "epsilon")
OPTIMISERS: dict[OptimiserName, Choice] = {
    "sgd": Choice("w -= r g", "large sets with a schedule; r about 0.01 to 0.1"),
    "momentum": Choice("v = mu v + g; w -= r v", "as sgd, faster along valleys", ("momentum",)),
    "nesterov": Choice("momentum, with the gradient after the step ahead", "as momentum", ("momentum",)),
    "adagrad": Choice(
        "r / sqrt(sum of g^2) (Duchi et al. 2011)", "rare inputs; r about 0.01 to 0.1", ("epsilon",)
    ),
    "rmsprop": Choice(
        "r / sqrt(running mean of g^2) (Tieleman & Hinton 2012)", "recurrent nets", ("rho", "epsilon")
    ),
    "adadelta": Choice(
        "step by the ratio of two running means (Zeiler 2012)",
        "without a rate: learning_rate 1",
        ("rho", "epsilon"),
    ),
    "adam": Choice("running means of g and g^2 (Kingma & Ba 2015)", "a good first choice; r 0.001", _ADAM),
    "adamax": Choice(
        "adam with the largest |g| for the second (same paper)", "as adam; r 0.001 to 0.002", _ADAM
    ),
    "adamw": Choice(
        "adam, weights decayed beside the gradient (Loshchilov & Hutter 2019)",
        "adam with weight decay",
        (*_ADAM, "weight_decay"),
    ),
    "nadam": Choice("adam with Nesterov's step ahead (Dozat 2016)", "as adam", _ADAM),
}
SETTINGS = ("momentum", "beta_1", "beta_2", "rho", "epsilon", "weight_decay")

_KINDS: dict[OptimiserName, type[optim.Optimizer]] = {
    "sgd": optim.SGD, "momentum": optim.SGD, "nesterov": optim.SGD, "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop, "adadelta": optim.Adadelta, "adam": optim.Adam, "adamax": optim.Adamax,
    "adamw": optim.AdamW, "nadam": optim.NAdam,
}  # fmt: skip


def unused_settings(optimiser: OptimiserName, given: dict[str, float | None]) -> list[str]:
    """Return a sentence for every setting with a value that the optimiser has no use for."""
    sentences = []
    for name in SETTINGS:
        value = given.get(name)
        if value is None or (name == "weight_decay" and value == 0) or name in OPTIMISERS[optimiser].uses:
            continue
        users = ", ".join(other for other, choice in OPTIMISERS.items() if name in choice.uses)
        cure = "; l2 is a penalty for all of them" if name == "weight_decay" else ""
        sentences.append(f"optimiser {optimiser} has no use for {name}: it belongs to {users}{cure}")
    return sentences


def new_optimiser(settings: FinetuningSettings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the named optimiser over the parameters; what is not set has torch's own value."""
    name = settings.optimiser
    given = {use: getattr(settings, use) for use in OPTIMISERS[name].uses}
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
