"""The likelihood of test rows under a stack of RBMs, bounded from below."""

import logging
import math
from collections.abc import Callable

from layerwise.data import TensorData
from layerwise.data.transforms import binarize_once
from layerwise.evaluation.likelihood import (
    LikelihoodSettings,
    StackLikelihood,
    bound_log_probability,
    bound_log_probability_of_dbm,
)
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.models.rbm import DBM, DBN
from layerwise.parameters import DBMSettings, DBNSettings
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)


def bound_log_prob(
    stack: DBN,
    training: TensorData,
    test: TensorData,
    settings: DBNSettings,
    seed: int,
) -> tuple[StackLikelihood, LoggedMetrics]:
    """Return log Z of the top RBM and the bound of the test rows in nats; grey pixels are binarised by one draw."""
    return _bound(bound_log_probability, stack, training, test, settings.likelihood, seed)


def bound_log_prob_of_dbm(
    stack: DBM, training: TensorData, test: TensorData, settings: DBMSettings, seed: int
) -> tuple[StackLikelihood, LoggedMetrics]:
    """Return log Z of all layers and the mean-field bound of the test rows, as `bound_log_prob` does."""
    return _bound(bound_log_probability_of_dbm, stack, training, test, settings.likelihood, seed)


def _bound(
    bound_of: Callable[..., StackLikelihood],
    stack: DBN | DBM,
    training: TensorData,
    test: TensorData,
    likelihood: LikelihoodSettings,
    seed: int,
) -> tuple[StackLikelihood, LoggedMetrics]:
    device = choose_device(stack, likelihood.chains, "likelihood", training.n_bytes + test.n_bytes)
    stack, pixel_rng = stack.to(device), torch_rng(seed, "bound", "pixels")
    rows = [part.inputs.cpu() for part in (training, test)]
    if stack.visible_units.binary:
        rows = [binarize_once(part, pixel_rng) for part in rows]
    known, new = (part.to(device) for part in rows)
    rng = torch_rng(seed, "bound", "states", device=device)
    found = bound_of(stack, known, new, likelihood, rng)
    log.info("%s", found)
    bound = found.bound
    values = {"": bound.midpoint, "_low": bound.low, "_high": bound.high}
    finite = {f"log_prob_bound{end}": value for end, value in values.items() if math.isfinite(value)}
    return found, LoggedMetrics.of(finite, prefix="test/")
