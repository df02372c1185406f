"""Calibration: make a classifier's scores the probabilities that they look like, on rows it did not learn from."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.data import Task, TensorData
from layerwise.models import CalibratedConfig, CalibratedNetwork
from layerwise.training.plan import TrainingError
from layerwise.training.supervised.losses import probabilities, task_loss
from layerwise.utils import Config

CalibrationMethod = Literal["temperature", "isotonic"]
# The logarithm of a temperature lies within these.
LOG_TEMPERATURE = (-4.0, 4.0)
BATCH_SIZE = 2000


def calibrate(
    network: nn.Module, task: Task, validation: TensorData, method: CalibrationMethod
) -> CalibratedNetwork:
    """Return the network with calibrated probabilities; the network itself is not changed.

    The temperature has the lowest log loss (Guo et al. 2017). An isotonic function has the lowest squared error among
    increasing ones (Zadrozny & Elkan 2002), and its probabilities stay 1/(2n) from 0 and 1, for n rows: so many rows
    cannot say more.

    Args:
        network: trained, in evaluation mode.
        task: classes or labels.
        validation: rows that it did not learn from, with targets, and weights if rows have some.
        method: `isotonic` follows any shape and wants some hundred rows of each class; `temperature` has one number.

    Raises:
        TrainingError: the task is a regression, or a binary task's rows are of one class.
    """
    if task not in ("binary", "multiclass", "multilabel"):
        raise TrainingError(f"evaluation.calibration is for classes and labels, and the task is {task}")
    assert validation.targets is not None
    # Rows of weight 0 say nothing.
    known = slice(None) if validation.weights is None else validation.weights > 0
    if task == "binary" and len(validation.targets[known].unique()) < 2:
        raise TrainingError(
            "evaluation.calibration: all validation rows are of one class; take more of them "
            "(split.validation_fraction), or set calibration: none"
        )
    with torch.no_grad():
        logits = torch.cat([network(part) for part in validation.inputs.split(BATCH_SIZE)])
    config = cast(Config, network.config).model_dump(mode="json")
    if method == "temperature":
        found = CalibratedNetwork(CalibratedConfig(network=config, task=task), network)
        found.temperature.fill_(best_temperature(task, logits, validation))
        return found.eval()
    functions = _isotonic_functions(task, logits, validation)
    n_points = max(len(x) for x, _ in functions)
    shape = CalibratedConfig(
        network=config, task=task, n_points=n_points, smallest=1 / (2 * max(len(validation), 2))
    )
    found = CalibratedNetwork(shape, network)
    for k, (x, y) in enumerate(functions):
        # The last point is repeated where another output has more of them.
        for buffer, values in ((found.scores, x), (found.probabilities, y)):
            padded = np.pad(values, (0, n_points - len(values)), mode="edge")
            buffer[k] = torch.from_numpy(padded).to(buffer)
    return found.eval()


def best_temperature(task: Task, logits: Tensor, rows: TensorData) -> float:
    """Return the number that logits are divided by for the lowest log loss, from 1/55 to 55.

    Args:
        task: classes or labels.
        logits: (rows, n_outputs).
        rows: with targets.
    """
    from scipy.optimize import minimize_scalar

    assert rows.targets is not None
    exact, targets = logits.double(), rows.targets
    targets = targets if targets.dim() == 1 else targets.double()

    def log_loss(log_temperature: float) -> float:
        losses = task_loss(task, exact / float(np.exp(log_temperature)), targets)
        return float(rows.weighted(losses).mean())

    found = minimize_scalar(log_loss, bounds=LOG_TEMPERATURE, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def _isotonic_functions(task: Task, logits: Tensor, rows: TensorData) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the points of each output's function: scores in their order, and their probabilities."""
    from sklearn.isotonic import IsotonicRegression

    assert rows.targets is not None
    scores = probabilities(task, logits).double().numpy()
    truth = rows.targets.numpy()
    if task == "multiclass":
        truth = np.eye(scores.shape[1])[truth]
    weights = None if rows.weights is None else rows.weights.double().numpy()
    functions = []
    for column in range(scores.shape[1]):
        fitted = IsotonicRegression(y_min=0, y_max=1).fit(scores[:, column], truth[:, column], weights)
        x, y = fitted.X_thresholds_, fitted.y_thresholds_
        if len(x) == 1:  # all scores are one
            x, y = np.repeat(x, 2), np.repeat(y, 2)
        functions.append((x, y))
    return functions
