"""Draw what a machine looks for, how active it is, and what it dreams up."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from layerwise.data.tensors import Block, Description, Rows
from layerwise.evaluation import plots as figures
from layerwise.evaluation.plots.rbm import hidden_activity, inpainting
from layerwise.models.rbm.rbm import RBM
from layerwise.parameters.rbm import RBMSettings
from layerwise.pipelines.evaluation.figure_nodes import reconstructions_at_stages
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.pipelines.rbm.nodes import features_of
from layerwise.pipelines.views import code_map_of
from layerwise.utils.random_streams import generator_for

SHOWN = 10
# Gibbs steps before a missing column's conditional means are averaged, and over how many.
BURN_IN, AVERAGED = 20, 50
NO_PICTURE = (
    "Ratings and documents are rows of thousands of columns: see recommendation.json and topics.json."
)
CURVES = ("reconstruction", "pseudo_likelihood", "free_energy", "free_energy_gap", "rmse")


def draw_learning_curves(history: dict[str, Any], classifier_history: dict[str, Any]) -> Figure:
    """Draw every monitored figure by epoch."""
    histories = {"machine": history["epochs"], "machine with label units": classifier_history["epochs"]}
    return figures.learning_curves(histories, metrics=CURVES)


def draw_filters(machine: RBM, description: dict[str, Any]) -> Figure:
    """Draw the weights of the units of largest norm; of many named columns, those of largest weight."""
    columns = Description(**description)
    if columns.task in UNLABELLED:
        return _strongest_columns(machine, columns)
    return figures.features(
        machine.weight.cpu(),
        image_shape=columns.image_shape,
        feature_names=columns.feature_names,
        title="Filters",
    )


def _strongest_columns(machine: RBM, columns: Description) -> Figure:
    """Draw the columns of largest centred weight for each of the first units."""
    weight = machine.weight.cpu() - machine.weight.cpu().mean(1, keepdim=True)
    units = weight.norm(dim=0).topk(min(SHOWN, weight.shape[1])).indices
    best = weight[:, units].topk(2, dim=0).indices.t().flatten().unique_consecutive()
    return figures.heat_map(
        weight[best][:, units],
        [columns.feature_names[k] for k in best.tolist()],
        [str(int(k) + 1) for k in units],
        title="The two columns that excite each unit most",
        x="hidden unit",
        value="weight, less the column's mean",
        centred=True,
    )


def draw_hidden_activity(machine: RBM, test: Rows) -> Figure:
    """Draw the mean hidden activities of test rows."""
    return hidden_activity(features_of(machine, test[slice(0, 2000)].inputs))


def draw_code_map(machine: RBM, test: Rows, description: dict[str, Any]) -> Figure:
    """Draw the test rows' codes in the plane of most variance."""
    columns = Description(**description)
    rows = test[slice(0, 5000)]
    return code_map_of(features_of(machine, rows.inputs), rows, columns)


def draw_reconstructions(history: dict[str, Any], description: dict[str, Any], preparation: Any) -> Figure:
    """Draw one training row as the machine reconstructs it at four stages of its training."""
    columns = Description(**description)
    if columns.task in UNLABELLED:
        return figures.note(NO_PICTURE)
    return reconstructions_at_stages(history, columns, preparation)


def draw_samples(
    machine: RBM,
    training: Rows,
    description: dict[str, Any],
    preparation: Any,
    settings: RBMSettings,
    seed: int,
) -> Figure:
    """Draw rows at the end of long Gibbs chains that started at training rows."""
    columns, rbm = Description(**description), machine.cpu()
    if columns.task in UNLABELLED:
        return figures.note(NO_PICTURE)
    generator = generator_for(seed, "samples")
    n = settings.samples if columns.image_shape else max(settings.samples, 1000)
    picked = torch.randint(len(training), (n,), generator=generator)
    v = rbm.gibbs(training.inputs[picked], settings.sampling_steps, generator)
    if columns.image_shape:
        means = rbm.visible_mean(rbm.sample_hidden(v, generator))
        title = f"Samples of the machine, {settings.sampling_steps} Gibbs steps from training rows"
        return figures.samples(means.clamp(0, 1), columns.image_shape, title=title)
    real = preparation.restore_inputs(training.inputs.numpy())
    return figures.marginals(real, preparation.restore_inputs(v.numpy()))


def draw_inpainting(
    machine: RBM, test: Rows, description: dict[str, Any], settings: RBMSettings, seed: int
) -> Figure:
    """Draw test rows whose lower half the machine completes; of a table, how well it guesses each column."""
    columns, rbm = Description(**description), machine.cpu()
    if columns.task in UNLABELLED:
        return figures.note(NO_PICTURE)
    generator = generator_for(seed, "inpainting")
    if columns.image_shape:
        rows = test.inputs[:SHOWN]
        height, width = columns.image_shape
        gone = (torch.arange(height * width) // width) >= height // 2
        start = torch.where(gone, torch.rand(rows.shape, generator=generator).round(), rows)
        v = rbm.gibbs(start, settings.sampling_steps, generator, clamped=~gone)
        means = torch.where(gone, rbm.visible_mean(rbm.sample_hidden(v, generator)), rows)
        title = f"Lower halves drawn given the upper ones, {settings.sampling_steps} Gibbs steps"
        return inpainting(rows, gone, means.clamp(0, 1), columns.image_shape, title=title)
    blocks = columns.blocks
    errors = np.array([_guess(rbm, test.inputs[:500], block, generator) for block in blocks])
    return figures.heat_map(
        errors,
        [block.name for block in blocks],
        ["the machine,\ngiven the others", "the column's\nmean"],
        title="Missing columns guessed",
        value="mean squared error (standardised)",
        show_numbers=True,
    )


def _guess(rbm: RBM, rows: torch.Tensor, block: Block, generator: torch.Generator) -> tuple[float, float]:
    """Return the mean squared error of a missing block's conditional mean, and of its plain mean."""
    gone = torch.zeros(rows.shape[1], dtype=torch.bool)
    gone[block.start : block.stop] = True
    average = rows.mean(0)
    v, total = torch.where(gone, average, rows), torch.zeros_like(rows)
    for step in range(BURN_IN + AVERAGED):
        mean = rbm.visible_mean(rbm.sample_hidden(v, generator))
        v = torch.where(gone, rbm.visible_units.sample(mean, generator), rows)
        if step >= BURN_IN:
            total += mean / AVERAGED
    found = [(guess - rows)[:, gone].square().sum(1).mean() for guess in (total, average.expand_as(rows))]
    return float(found[0]), float(found[1])
