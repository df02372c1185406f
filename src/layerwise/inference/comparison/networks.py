"""A new network that learnt without a target beside the champion, row by row on raw rows that neither has seen.

RBMs, deep belief networks and deep Boltzmann machines are compared by their likelihood, at any size. A reconstruction
gets better with every column of the latent, however little it says: other networks are compared by it at equal size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from layerwise.data import DataError
from layerwise.data.transforms import binarize_once
from layerwise.evaluation.likelihood import variational_bound
from layerwise.evaluation.metrics import student_factor
from layerwise.inference.comparison.predictors import (
    MIN_ROWS,
    ModelComparison,
    chosen_rows,
    raw_inputs,
    which_are_seen,
)
from layerwise.inference.reproducible import apply_in_blocks
from layerwise.inference.tasks import latent_size, log_partition_of
from layerwise.models.rbm import DBN, RBM, has_pseudo_likelihood, log_pseudo_likelihood
from layerwise.utils import torch_rng

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.data.sources import Images
    from layerwise.inference.model import TrainedModel

# A pseudo-likelihood takes a sum for each unit of a row.
PSEUDO_LIKELIHOOD_ROWS = 200


def compare_networks(
    new: TrainedModel, old: TrainedModel, rows: pd.DataFrame | Images, *, same_test_rows: bool
) -> ModelComparison | str:
    """Compare two networks on raw rows that the new one has not seen; a reason, if that cannot be done.

    Their inputs of these rows have to be the same, since likelihoods and errors are in the units of the inputs.

    Args:
        new: the new model.
        old: the champion.
        rows: the new model's test rows, raw.
        same_test_rows: whether the champion was tested on these very rows, so that it has seen none of them.
    """
    if not same_test_rows and old.seen_rows is None:
        return "it was tested on other rows, and its training rows are not known"
    try:
        (inputs, usable), (other, known) = _inputs(new, rows), _inputs(old, rows)
        seen = np.zeros(len(known), dtype=bool) if same_test_rows else which_are_seen(old, rows, known)
    except (DataError, KeyError, ValueError) as error:
        return f"it cannot read these rows ({str(error).splitlines()[0][:200]})"
    left_out, usable = int((usable & known & seen).sum()), usable & known & ~seen
    if (n_usable := int(usable.sum())) < MIN_ROWS:
        return f"only {n_usable} of {len(usable)} test rows can be compared; it has seen {left_out} of them"
    if not np.array_equal(inputs[usable], other[usable]):
        return "its preprocessing makes other inputs of these rows"
    metric, reason = _metric_of_both(new, old)
    if not metric:
        return reason
    chosen = torch.from_numpy(inputs[usable])
    if metric == "pseudo_likelihood":
        chosen = chosen[:PSEUDO_LIKELIHOOD_ROWS]
    (first, first_error), (second, second_error) = (
        _values_of_rows(model, chosen, metric) for model in (new, old)
    )
    low, high = _interval_of_mean(first - second)
    uncertain = first_error + second_error
    return ModelComparison(
        metric,
        float(first.mean()),
        float(second.mean()),
        float((first - second).mean()),
        low - uncertain,
        high + uncertain,
        len(chosen),
        left_out,
    )


def _inputs(model: TrainedModel, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a network's inputs (n, d), 0 where it cannot read the row, and which rows it can read, (n,) bool."""
    raw = raw_inputs(model, rows)
    valid = model.validate(raw, strict=False) == ""
    found = np.zeros((len(valid), model.columns.n_inputs), dtype=np.float32)
    if valid.any():
        found[valid] = model.inputs(chosen_rows(raw, valid)).numpy()
    return found, valid


def _metric_of_both(new: TrainedModel, old: TrainedModel) -> tuple[str, str]:
    """Return the metric that is right for both networks; empty, and the reason, if there is none."""
    networks = (new.network, old.network)
    partitions = [log_partition_of(model) for model in (new, old)]
    if type(new.network) is type(old.network) and all(each and each.is_bounded for each in partitions):
        return "log_prob" if isinstance(new.network, RBM) else "log_prob_bound", ""
    if all(isinstance(network, RBM) and has_pseudo_likelihood(network) for network in networks):
        return "pseudo_likelihood", ""
    sizes = [latent_size(model) for model in (old, new)]
    if sizes[0] != sizes[1]:
        return "", f"it encodes to {sizes[0]} columns, and this one to {sizes[1]}"
    return "reconstruction_mse", ""


def _values_of_rows(model: TrainedModel, inputs: Tensor, metric: str) -> tuple[Tensor, float]:
    """Return the metric of each row, (n,) float64 on the CPU, and how far log Z may be off to either side; nats."""
    network: Any = model.network
    if metric == "reconstruction_mse":
        found = apply_in_blocks(network.reconstruct, inputs, model.device)
        return (found - inputs).double().square().mean(1), 0.0
    rows = inputs.to(model.device)
    with torch.no_grad():
        if metric == "pseudo_likelihood":
            return log_pseudo_likelihood(network, rows).double().cpu(), 0.0
        if network.visible_units.binary:  # which give a probability to binary rows alone
            rows = binarize_once(inputs, torch_rng(0, "comparison", "pixels")).to(model.device)
        if isinstance(network, DBN):
            values = variational_bound(network, rows, 0.0, torch_rng(0, "comparison", device=model.device))
        else:
            values = apply_in_blocks(network.bound, rows, model.device)
    log_z = log_partition_of(model)
    assert log_z is not None
    return values.cpu() - log_z.midpoint, (log_z.high - log_z.low) / 2


def _interval_of_mean(values: Tensor) -> tuple[float, float]:
    """Return the 95 % interval of a mean by Student's t."""
    mean, n = float(values.mean()), len(values)
    half = student_factor(n) * float(values.std()) / n**0.5
    return mean - half, mean + half
