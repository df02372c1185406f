"""Nodes that plot an RBM's training, filters, activations, samples and inpainting."""

import numpy as np
import torch
from matplotlib.figure import Figure

from layerwise.data import ColumnBlock, DataSpec, TensorData, raw_columns
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.evaluation import plots
from layerwise.evaluation.demos import render_rbm_demo
from layerwise.evaluation.plots import plot_activations, plot_inpainting as inpainting_figure
from layerwise.models.rbm import RBM
from layerwise.parameters import RBMSettings
from layerwise.pipelines.rbm.nodes import hidden_features, rows_of_chains
from layerwise.pipelines.views import latent_map_figure
from layerwise.training import LayerHistory
from layerwise.utils import torch_rng

SHOWN = 10
# Gibbs steps before a missing column's conditional means are averaged, and the number of averaged ones.
BURN_IN, AVERAGED, IMPUTED_COLUMNS = 20, 50, 40
CURVES = ("reconstruction", "pseudo_likelihood", "free_energy", "free_energy_gap", "rmse")


def plot_learning_curves(
    history: LayerHistory, classification_rbm_history: LayerHistory | None = None
) -> Figure:
    """Plot every monitored metric by epoch, of the RBM with label units too if there is one."""
    histories = {"RBM": history.epochs}
    if classification_rbm_history is not None:
        histories["RBM with label units"] = classification_rbm_history.epochs
    return plots.plot_learning_curves(histories, metrics=CURVES)


def plot_filters(rbm: RBM, columns: DataSpec) -> Figure:
    """Plot the weights of the units of largest norm."""
    return plots.plot_features(
        rbm.weight.cpu(),
        image_shape=columns.image_shape,
        feature_names=columns.feature_names,
        title="Filters",
    )


def plot_strongest_columns(rbm: RBM, columns: DataSpec) -> Figure:
    """Plot the two columns of largest centred weight of each of the units of largest norm."""
    weight = rbm.weight.cpu() - rbm.weight.cpu().mean(1, keepdim=True)
    units = weight.norm(dim=0).topk(min(SHOWN, weight.shape[1])).indices
    # A column that several units have the largest weight of is one line.
    best = list(dict.fromkeys(weight[:, units].topk(2, dim=0).indices.t().flatten().tolist()))
    return plots.plot_heat_map(
        weight[best][:, units],
        [columns.feature_names[k] for k in best],
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


def plot_image_samples(image_samples: TensorData, columns: DataSpec, settings: RBMSettings) -> Figure:
    """Plot samples: the mean images at the end of long Gibbs chains that started at training rows."""
    assert columns.image_shape is not None
    title = f"Samples of the RBM, {settings.sampling_steps} Gibbs steps from training rows"
    return plots.plot_samples(image_samples.inputs, columns.image_shape, title=title)


def plot_sampled_marginals(
    rbm: RBM, training: TensorData, preprocessor: LabelledPreprocessor, settings: RBMSettings, seed: int
) -> Figure:
    """Plot each column's distribution, of training rows and of rows at the end of Gibbs chains from them."""
    n = max(settings.samples, 1000)
    v = rows_of_chains(rbm.cpu(), training, n, settings.sampling_steps, torch_rng(seed, "samples"))
    real = preprocessor.restore_inputs(training.inputs.numpy())
    return plots.plot_marginals(real, preprocessor.restore_inputs(v.numpy()))


def plot_inpainting(
    rbm: RBM, test: TensorData, columns: DataSpec, settings: RBMSettings, seed: int
) -> Figure:
    """Plot test images whose lower half the RBM inpaints."""
    assert columns.image_shape is not None
    rbm, rows, rng = rbm.cpu(), test.inputs[:SHOWN], torch_rng(seed, "inpainting")
    height = columns.image_shape[0]
    line = torch.arange(columns.n_inputs) // (columns.n_inputs // height)
    is_missing = line >= height // 2
    start = torch.where(is_missing, torch.rand(rows.shape, generator=rng).round(), rows)
    v = rbm.gibbs(start, settings.sampling_steps, rng, clamped=~is_missing)
    means = torch.where(is_missing, rbm.visible_mean(rbm.sample_hidden(v, rng)), rows)
    title = f"Lower halves sampled given the upper ones, {settings.sampling_steps} Gibbs steps"
    return inpainting_figure(rows, is_missing, means.clamp(0, 1), columns.image_shape, title=title)


def plot_imputation(rbm: RBM, test: TensorData, columns: DataSpec, seed: int) -> Figure:
    """Plot how well the RBM imputes each column of a table from the others, beside the column's mean.

    Each column takes Gibbs steps of all columns, so that it is 40 columns at most, evenly spread over the table.
    """
    rng, rows = torch_rng(seed, "inpainting"), test.inputs[:500]
    found = raw_columns(columns.blocks)
    names = list(found)[:: -(-len(found) // IMPUTED_COLUMNS)]
    errors = np.array([_imputation_errors(rbm.cpu(), rows, found[name], rng) for name in names])
    shown = f" ({len(names)} of {len(found):,})" if len(names) < len(found) else ""
    return plots.plot_heat_map(
        errors,
        names,
        ["the RBM,\ngiven the others", "the column's\nmean"],
        title=f"Imputation of missing columns{shown}",
        value="mean squared error (standardised)",
        show_numbers=True,
    )


def _imputation_errors(
    rbm: RBM, rows: torch.Tensor, blocks: tuple[ColumnBlock, ...], rng: torch.Generator
) -> tuple[float, float]:
    """Return the mean squared error of a missing raw column's conditional mean, and of its plain mean."""
    is_missing = torch.zeros(rows.shape[1], dtype=torch.bool)
    is_missing[[k for block in blocks for k in block.columns]] = True
    # Whether a cell was empty goes with the cell, but is nothing that a user would have imputed.
    measured = [k for block in blocks if not block.is_indicator for k in block.columns]
    column_means = rows.mean(0)
    v, conditional_mean = torch.where(is_missing, column_means, rows), torch.zeros_like(rows)
    for step in range(BURN_IN + AVERAGED):
        mean = rbm.visible_mean(rbm.sample_hidden(v, rng))
        v = torch.where(is_missing, rbm.visible_units.sample(mean, rng), rows)
        if step >= BURN_IN:
            conditional_mean += mean / AVERAGED
    errors = [
        (predicted - rows)[:, measured].square().sum(1).mean()
        for predicted in (conditional_mean, column_means.expand_as(rows))
    ]
    return float(errors[0]), float(errors[1])


def write_demo(rbm: RBM, test: TensorData, columns: DataSpec) -> str:
    """Write an HTML page with the RBM itself, which reconstructs what is drawn there."""
    assert columns.image_shape is not None
    return render_rbm_demo(rbm, columns.image_shape, test.inputs[:SHOWN])
