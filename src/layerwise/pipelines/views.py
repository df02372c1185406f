"""The linear probe, the latent map and the reconstructions of RBMs, autoencoders and networks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import MetricsByModel, linear_probe
from layerwise.evaluation.unsupervised import fit_pca
from layerwise.training import ReconstructedRow
from layerwise.utils import sampled_rows, torch_rng

log = logging.getLogger(__name__)

# The fraction of the labelled rows' variance that the components explain.
EXPLAINED_VARIANCE = 0.95
# Rows that a probe takes of the labelled, the validation and the test rows: more change it by less than its interval,
# and the features of a million rows are some hundred megabytes.
PROBED_ROWS = (200_000, 100_000, 100_000)


def log_diagnoses(diagnoses: Sequence[str]) -> None:
    """Log what is wrong with a network's gradients, updates and activations, or that nothing is."""
    for diagnosis in diagnoses:
        log.warning(diagnosis)
    if not diagnoses:
        log.info("healthy: gradients, updates and activations are as they should be")


def probe_views(
    name: str,
    represent: Callable[[Tensor], Any],
    parts: Mapping[str, TensorData],
    columns: DataSpec,
    seed: int,
    bootstrap: int,
) -> MetricsByModel:
    """Fit linear models on a representation, on the raw rows and on their principal components.

    Of more than 200,000 labelled rows so many are sampled, of more than 100,000 validation or test rows as many as
    that; the log says so.

    Args:
        name: of the representation.
        represent: returns it of inputs (n, n_inputs).
        parts: the labelled, validation and test rows, in this order.
        columns: what the rows are.
        seed: of the run.
        bootstrap: resamples for each interval.

    Returns:
        The metrics on the test rows by view: `name`, `raw` and `pca`.
    """
    parts = {
        part: _sampled(rows, at_most, seed, part)
        for (part, rows), at_most in zip(parts.items(), PROBED_ROWS, strict=True)
    }
    components = fit_pca(parts["labelled"].inputs, EXPLAINED_VARIANCE)
    views: dict[str, Callable[[Tensor], Any]] = {
        name: represent,
        "raw": lambda inputs: inputs,
        "pca": components.encode,
    }
    found = {}
    for view, of in views.items():
        labelled, validation, test = ((of(rows.inputs), rows.targets) for rows in parts.values())
        found[view] = linear_probe(
            columns.task,
            labelled,
            validation,
            test,
            n_outputs=columns.n_outputs,
            seed=seed,
            n_bootstrap=bootstrap,
        )
    return MetricsByModel.model_validate(found)


def _sampled(rows: TensorData, at_most: int, seed: int, part: str) -> TensorData:
    if len(rows) > at_most:
        log.info("Probes: %s of the %s %s rows, drawn at random", f"{at_most:,}", f"{len(rows):,}", part)
    return rows[sampled_rows(len(rows), at_most, torch_rng(seed, "probed rows", part))]


def describe_probe(found: MetricsByModel, columns: DataSpec) -> str:
    """Return a phrase with the main metric of every view of a probe."""
    main = "rmse" if columns.task == "regression" else "error" if "error" in found["raw"] else "hamming_loss"
    return f"{main} on the test rows: " + ", ".join(
        f"{view} {metrics[main].value:.4f}" for view, metrics in found.items()
    )


def latent_map_figure(latents: Tensor, rows: TensorData, columns: DataSpec) -> Figure:
    """Plot latents (n, k) of rows in the plane of most variance, coloured by the rows' targets if they have any."""
    if latents.shape[1] < 2:
        latents = torch.cat([latents, torch.zeros_like(latents)], 1)
    if rows.targets is None:
        return plots.plot_latent_map(latents)
    targets, names = columns.unscaled(rows.targets), columns.class_names
    if columns.task in ("regression", "multilabel"):
        targets, names = targets[:, 0], ()
    return plots.plot_latent_map(
        latents, targets, class_names=names, target_name=(columns.target_names or ("class",))[0]
    )


def plot_reconstructions(
    history: ReconstructedRow, columns: DataSpec, preprocessor: LabelledPreprocessor
) -> Figure:
    """Plot one training row as a model reconstructs it at four stages of its training."""
    row = np.asarray(history.row, dtype=np.float32)
    reconstruction_history = [
        (stage.epoch, np.asarray(stage.reconstruction, dtype=np.float32), stage.loss)
        for stage in history.reconstruction_history
    ]
    if columns.image_shape:
        return plots.plot_reconstructions(row, reconstruction_history, image_shape=columns.image_shape)
    matrix = np.stack([row, *(reconstruction for _, reconstruction, _ in reconstruction_history)])
    return plots.plot_table_reconstructions(
        preprocessor.restore_inputs(matrix),
        matrix,
        columns.blocks,
        [(epoch, loss) for epoch, _, loss in reconstruction_history],
    )
