"""Likelihoods that are numbers: one that is not finite says nothing, and is an error with its reason."""

from __future__ import annotations

import math

from layerwise.utils import UserError


class LikelihoodError(UserError, ArithmeticError):
    """A likelihood is not finite."""


def finite(value: float, what: str) -> float:
    """Return a log-probability in nats.

    Raises:
        LikelihoodError: it is infinite or no number.
    """
    if math.isfinite(value):
        return value
    raise LikelihoodError(
        f"{what} is {value}: the network's weights are too large to compute with; train it with a lower learning rate, "
        "or with weight decay"
    )
