"""The linear probe and the latent map of a representation of rows, for RBMs, autoencoders and networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import linear_probe
from layerwise.evaluation.unsupervised import fit_pca
from layerwise.utils import report_metrics

# The fraction of the labelled rows' variance that the components explain.
EXPLAINED_VARIANCE = 0.95


def probe_views(
    name: str,
    represent: Callable[[Tensor], Any],
    parts: Mapping[str, TensorData],
    columns: DataSpec,
    seed: int,
    bootstrap: int,
) -> tuple[dict[str, Any], str, str]:
    """Fit linear models on a representation, on the raw rows and on their principal components, and report them.

    Args:
        name: of the representation.
        represent: returns it of inputs (n, n_inputs).
        parts: the labelled, validation and test rows, in this order.
        columns: what the rows are.
        seed: of the run.
        bootstrap: resamples for each interval.

    Returns:
        The metrics by view, the name of the main metric, and its values by view in words.
    """
    components = fit_pca(parts["labelled"].inputs, EXPLAINED_VARIANCE)
    views: dict[str, dict[str, Any]] = {
        name: {part: represent(rows.inputs) for part, rows in parts.items()},
        "raw": {part: rows.inputs for part, rows in parts.items()},
        "pca": {part: components.encode(rows.inputs) for part, rows in parts.items()},
    }
    found = {}
    for view, given in views.items():
        pairs = [(given[part], parts[part].targets) for part in parts]
        found[view] = linear_probe(
            columns.task,
            pairs[0],
            pairs[1],
            pairs[2],
            n_outputs=columns.n_outputs,
            seed=seed,
            n_bootstrap=bootstrap,
        )
        report_metrics({f"test/probe/{view}/{key}": metric.value for key, metric in found[view].items()})
    main = "rmse" if columns.task == "regression" else "error" if "error" in found["raw"] else "hamming_loss"
    shown = ", ".join(f"{view} {metrics[main].value:.4f}" for view, metrics in found.items())
    dumped = {view: {key: m.model_dump() for key, m in metrics.items()} for view, metrics in found.items()}
    return dumped, main, shown


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
