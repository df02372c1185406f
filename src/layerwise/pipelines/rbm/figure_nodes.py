"""Nodes that plot an RBM's training, filters, activations, samples and inpainting."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.plots import plot_activations, plot_inpainting as inpainting_figure
from layerwise.models.rbm import RBM
from layerwise.parameters import RBMSettings
from layerwise.pipelines.evaluation.figure_nodes import plot_reconstruction_history
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.pipelines.rbm.nodes import hidden_features
from layerwise.pipelines.views import latent_map_figure
from layerwise.training import ReconstructedRow
from layerwise.utils import torch_rng

SHOWN = 10
# Gibbs steps before a missing column's conditional means are averaged, and the number of averaged ones.
BURN_IN, AVERAGED = 20, 50
NO_FIGURE = "Ratings and documents are rows of thousands of columns: see recommendation.json and topics.json."
CURVES = ("reconstruction", "pseudo_likelihood", "free_energy", "free_energy_gap", "rmse")


def plot_learning_curves(history: dict[str, Any], classification_rbm_history: dict[str, Any]) -> Figure:
    """Plot every monitored metric by epoch."""
    histories = {"RBM": history["epochs"], "RBM with label units": classification_rbm_history["epochs"]}
    return plots.plot_learning_curves(histories, metrics=CURVES)


def plot_filters(rbm: RBM, columns: DataSpec) -> Figure:
    """Plot the weights of the units of largest norm; of many named columns, those of largest weight."""
    if columns.task in UNLABELLED:
        return _strongest_columns(rbm, columns)
    return plots.plot_features(
        rbm.weight.cpu(),
        image_shape=columns.image_shape,
        feature_names=columns.feature_names,
        title="Filters",
    )


def _strongest_columns(rbm: RBM, columns: DataSpec) -> Figure:
    """Plot the two columns of largest centred weight of each of the units of largest norm."""
    weight = rbm.weight.cpu() - rbm.weight.cpu().mean(1, keepdim=True)
    units = weight.norm(dim=0).topk(min(SHOWN, weight.shape[1])).indices
    best = weight[:, units].topk(2, dim=0).indices.t().flatten().unique_consecutive()
    return plots.plot_heat_map(
        weight[best][:, units],
        [columns.feature_names[k] for k in best.tolist()],
        [str(int(k) + 1) for k in units],
        title="The two columns of largest weight of each unit",
        xlabel="hidden unit",
        value="weight, less the column's mean",
        centered=True,
    )


def plot_hidden_activations(rbm: RBM, test: TensorData) -> Figure:
    """Plot the mean hidden activations of test rows."""
    return plot_activations(hidden_features(rbm, test[slice(0, 2000)].inputs))


def plot_latent_map(rbm: RBM, test: TensorData, columns: DataSpec) -> Figure:
    """Plot the test rows' hidden features in the plane of their first two principal components."""
    rows = test[slice(0, 5000)]
    return latent_map_figure(hidden_features(rbm, rows.inputs), rows, columns)


def plot_reconstructions(history: dict[str, Any], columns: DataSpec, preprocessor: Any) -> Figure:
    """Plot one training row as the RBM reconstructs it at four stages of training."""
    if columns.task in UNLABELLED:
        return plots.plot_note(NO_FIGURE)
    kept = ReconstructedRow(row=history["row"], reconstruction_history=history["reconstruction_history"])
    return plot_reconstruction_history(kept, columns, preprocessor)


def plot_samples(
    rbm: RBM,
    training: TensorData,
    columns: DataSpec,
    preprocessor: Any,
    settings: RBMSettings,
    seed: int,
) -> Figure:
    """Plot samples: rows at the end of long Gibbs chains that started at training rows."""
    rbm = rbm.cpu()
    if columns.task in UNLABELLED:
        return plots.plot_note(NO_FIGURE)
    rng = torch_rng(seed, "samples")
    n = settings.samples if columns.image_shape else max(settings.samples, 1000)
    start_rows = torch.randint(len(training), (n,), generator=rng)
    v = rbm.gibbs(training.inputs[start_rows], settings.sampling_steps, rng)
    if columns.image_shape:
        means = rbm.visible_mean(rbm.sample_hidden(v, rng))
        title = f"Samples of the RBM, {settings.sampling_steps} Gibbs steps from training rows"
        return plots.plot_samples(means.clamp(0, 1), columns.image_shape, title=title)
    real = preprocessor.restore_inputs(training.inputs.numpy())
    return plots.plot_marginals(real, preprocessor.restore_inputs(v.numpy()))


def plot_inpainting(
    rbm: RBM, test: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> Figure:
    """Plot test images whose lower half the RBM inpaints; of a table, how well it imputes each column."""
    rbm = rbm.cpu()
    if columns.task in UNLABELLED:
        return plots.plot_note(NO_FIGURE)
    rng = torch_rng(seed, "inpainting")
    if columns.image_shape:
        rows = test.inputs[:SHOWN]
        height, width = columns.image_shape
        is_missing = (torch.arange(height * width) // width) >= height // 2
        start = torch.where(is_missing, torch.rand(rows.shape, generator=rng).round(), rows)
        v = rbm.gibbs(start, settings.sampling_steps, rng, clamped=~is_missing)
        means = torch.where(is_missing, rbm.visible_mean(rbm.sample_hidden(v, rng)), rows)
        title = f"Lower halves sampled given the upper ones, {settings.sampling_steps} Gibbs steps"
        return inpainting_figure(rows, is_missing, means.clamp(0, 1), columns.image_shape, title=title)
    blocks = columns.blocks
    errors = np.array([_imputation_errors(rbm, test.inputs[:500], block, rng) for block in blocks])
    return plots.plot_heat_map(
        errors,
        [block.name for block in blocks],
        ["the RBM,\ngiven the others", "the column's\nmean"],
        title="Imputation of missing columns",
        value="mean squared error (standardised)",
        show_numbers=True,
    )


def _imputation_errors(
    rbm: RBM, rows: torch.Tensor, block: ColumnBlock, rng: torch.Generator
) -> tuple[float, float]:
    """Return the mean squared error of a missing block's conditional mean, and of its plain mean."""
    is_missing = torch.zeros(rows.shape[1], dtype=torch.bool)
    is_missing[block.start : block.stop] = True
    column_means = rows.mean(0)
    v, conditional_mean = torch.where(is_missing, column_means, rows), torch.zeros_like(rows)
    for step in range(BURN_IN + AVERAGED):
        mean = rbm.visible_mean(rbm.sample_hidden(v, rng))
        v = torch.where(is_missing, rbm.visible_units.sample(mean, rng), rows)
        if step >= BURN_IN:
            conditional_mean += mean / AVERAGED
    errors = [
        (predicted - rows)[:, is_missing].square().sum(1).mean()
        for predicted in (conditional_mean, column_means.expand_as(rows))
    ]
    return float(errors[0]), float(errors[1])
