"""Draw what was learnt and what it is worth."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from layerwise.data.tensors import Description, Rows
from layerwise.data.transforms.augmentation import AugmentationSettings, augment
from layerwise.evaluation import plots as figures
from layerwise.evaluation.metrics.importance import Importance
from layerwise.evaluation.metrics.supervised import Measure
from layerwise.models.autoencoder.stacked import StackedAutoencoders
from layerwise.models.mlp import MLP
from layerwise.models.rbm.dbn import DBN
from layerwise.models.rbm.units import VISIBLE_UNITS
from layerwise.parameters.evaluation import EvaluationSettings
from layerwise.pipelines.evaluation.scores import scores_of, targets_of
from layerwise.pipelines.views import code_map_of
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.random_streams import generator_for


def draw_learning_curves(finetuning: dict[str, Any], pretraining: dict[str, Any] | None = None) -> Figure:
    """Draw every layer's pretraining, and fine-tuning."""
    histories = {}
    for name, epochs in (pretraining or {"layers": {}})["layers"].items():
        histories[f"pretraining {name.replace('_', ' ')}"] = epochs
    return figures.learning_curves(histories | {"fine-tuning": finetuning["epochs"]})


def draw_grid(finetuning: dict[str, Any]) -> Figure:
    """Draw what a grid of settings found on the validation rows."""
    if not finetuning.get("grid"):
        return figures.note("One setting was trained (grid).")
    return figures.grid_scores(finetuning["grid"], finetuning["monitor"])


def draw_predictions(
    network: MLP, test: Rows, description: dict[str, Any], measured: dict[str, Any]
) -> Figure:
    """Draw the confusion matrix of a classification, predicted against true values of a regression."""
    columns = Description(**description)
    targets, scores = targets_of(test, columns), scores_of(network, test, columns)
    if columns.task == "regression":
        name = columns.target_names[0]
        return figures.predicted_against_true(
            targets, scores, target_name=f"log(1 + {name})" if columns.target_transform == "log1p" else name
        )
    if columns.task == "multilabel":
        return figures.label_errors(targets, scores, columns.target_names)
    chosen = scores.argmax(1) if columns.task == "multiclass" else scores >= measured["threshold"]
    return figures.confusion_matrix(targets, chosen, columns.class_names)


def draw_ranking_curves(network: MLP, test: Rows, description: dict[str, Any]) -> Figure:
    """Draw the ROC and the precision-recall curves of a classification."""
    columns = Description(**description)
    if columns.task == "regression":
        return figures.note("A regression ranks no classes: it has no ROC and precision-recall curves.")
    names = columns.target_names if columns.task == "multilabel" else columns.class_names
    return figures.ranking_curves(
        columns.task, targets_of(test, columns), scores_of(network, test, columns), names
    )


def draw_importance(importance: list[dict[str, Any]], description: dict[str, Any]) -> Figure:
    """Draw what shuffling each column costs."""
    if not importance:
        return figures.note("No single pixel of a picture is worth shuffling: see the features instead.")
    columns = Description(**description)
    measure = "RMSE" if columns.task == "regression" else "log loss"
    return figures.importance_bars([Importance(**each) for each in importance], measure=measure)


def draw_comparison(measured: dict[str, Any]) -> Figure:
    """Draw the network's figures beside those of the usual models."""
    if not measured["baselines"]:
        return figures.note("No other model was fitted (evaluation.baselines).")
    models = {"network": measured["network"], **measured["baselines"]}
    known = {
        model: {name: Measure(**values) for name, values in found.items()} for model, found in models.items()
    }
    shown = ("accuracy", "roc_auc", "log_loss", "rmse", "mae", "r2")
    return figures.comparison(known, [name for name in shown if name in known["network"]])


def draw_calibration(network: MLP, test: Rows, description: dict[str, Any]) -> Figure:
    """Draw how well the stated probabilities (or values) agree with what is found."""
    columns = Description(**description)
    return figures.calibration(columns.task, targets_of(test, columns), scores_of(network, test, columns))


def draw_code_map(network: MLP, test: Rows, description: dict[str, Any]) -> Figure:
    """Draw the test rows' codes in the last hidden layer, in the plane of most variance."""
    columns = Description(**description)
    rows = test[slice(0, 5000)]
    with torch.no_grad():
        codes = network.encode(rows.inputs)
    return code_map_of(codes, rows, columns)


def draw_augmentation(
    labelled: Rows, description: dict[str, Any], settings: FinetuningSettings, seed: int
) -> Figure:
    """Draw training rows as each chosen change leaves them, and as all changes together do."""
    columns = Description(**description)
    chosen = settings.augmentation.chosen
    if not chosen or columns.image_shape is None:
        return figures.note("The network learnt from the rows as they are (finetuning.augmentation).")
    rows = labelled.inputs[:10]
    variants = {"as they are": rows}
    for name in chosen:
        alone = AugmentationSettings(**{name: getattr(settings.augmentation, name)})
        variants[name.replace("_", " ")] = augment(alone, columns.image_shape, seed, "cpu", name)(rows)
    if len(chosen) > 1:
        variants["all"] = augment(settings.augmentation, columns.image_shape, seed, "cpu", "all")(rows)
    return figures.augmentations(
        variants, columns.image_shape, title="Training rows as the network sees them"
    )


def draw_features(stack: DBN | StackedAutoencoders, description: dict[str, Any]) -> Figure:
    """Draw what the first layer of the pretrained stack looks for."""
    columns = Description(**description)
    return figures.features(
        stack.filters, image_shape=columns.image_shape, feature_names=columns.feature_names
    )


def draw_network_features(network: MLP, description: dict[str, Any]) -> Figure:
    """Draw what the first layer of the trained network looks for."""
    columns = Description(**description)
    first = network.hidden[0] if len(network.hidden) else network.output
    return figures.features(
        first.weight.T, image_shape=columns.image_shape, feature_names=columns.feature_names
    )


def draw_reconstructions(history: dict[str, Any], description: dict[str, Any], preparation: Any) -> Figure:
    """Draw one training row as the first machine reconstructs it at four stages of its training."""
    columns = Description(**description)
    if not history["stages"]:
        return figures.note(
            "The network started at random (pretraining.method: none): nothing to reconstruct."
        )
    return reconstructions_at_stages(history, columns, preparation)


def reconstructions_at_stages(history: dict[str, Any], columns: Description, preparation: Any) -> Figure:
    """Draw the row and its reconstructions that a machine's history holds."""
    row = np.asarray(history["row"], dtype=np.float32)
    stages = [
        (s["epoch"], np.asarray(s["reconstruction"], dtype=np.float32), s["loss"]) for s in history["stages"]
    ]
    if columns.image_shape:
        return figures.reconstructions(row, stages, image_shape=columns.image_shape)
    matrix = np.stack([row, *(reconstruction for _, reconstruction, _ in stages)])
    return figures.table_reconstructions(
        preparation.restore_inputs(matrix),
        matrix,
        columns.blocks,
        [(epoch, loss) for epoch, _, loss in stages],
    )


def draw_samples(
    stack: DBN | StackedAutoencoders,
    training: Rows,
    description: dict[str, Any],
    preparation: Any,
    history: dict[str, Any],
    settings: EvaluationSettings,
    seed: int,
) -> Figure:
    """Draw rows that the stack dreams up: Gibbs sampling in its top machine, then one pass down.

    The chains start at training rows, since a chain from noise may not leave the first basin it falls into.
    """
    columns = Description(**description)
    if not history["layers"]:
        return figures.note(
            "The network started at random (pretraining.method: none): nothing to sample from."
        )
    if isinstance(stack, StackedAutoencoders):
        return figures.note(
            "Stacked autoencoders state no distribution to sample from; a variational one does "
            "(kedro run --pipelines=autoencoder --params=autoencoder.variant=variational)."
        )
    generator = generator_for(seed, "samples")
    n = settings.samples if columns.image_shape else max(settings.samples, 1000)
    picked = torch.randint(len(training), (n,), generator=generator)
    means = stack.sample(n, settings.sampling_steps, generator, start=training.inputs[picked])
    if columns.image_shape:
        title = (
            f"Samples of the deep belief network, {settings.sampling_steps} Gibbs steps from training rows"
        )
        return figures.samples(means, columns.image_shape, title=title)
    drawn = VISIBLE_UNITS[stack.config.visible].sample(means, generator)
    real = preparation.restore_inputs(training.inputs.numpy())
    return figures.marginals(real, preparation.restore_inputs(drawn.numpy()))
