"""Figures of a trained network and of its evaluation."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from layerwise.data import DataSpec, TensorData
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.data.transforms import AugmentationSettings, make_augmentation
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import ImportanceTable, reaches_threshold
from layerwise.evaluation.reports import EvaluationReport
from layerwise.models import MLP
from layerwise.models.autoencoder import StackedAutoencoders, encode_rows
from layerwise.models.rbm import DBM, DBN
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.views import latent_map_figure
from layerwise.training import PretrainingHistory
from layerwise.training.supervised import FinetuningHistory, FinetuningSettings
from layerwise.utils import torch_rng

# Test rows that a figure shows, or is made by.
MOST_ROWS = 5000


def plot_learning_curves(
    finetuning: FinetuningHistory, pretraining: PretrainingHistory | None = None
) -> Figure:
    """Plot the learning curves of every layer's pretraining, and of fine-tuning."""
    layers = {} if pretraining is None else pretraining.layers
    histories = {f"pretraining {name.replace('_', ' ')}": epochs for name, epochs in layers.items()}
    kept = {"fine-tuning": finetuning.best_epoch}
    return plots.plot_learning_curves(histories | {"fine-tuning": finetuning.epochs}, kept=kept)


def plot_grid(finetuning: FinetuningHistory) -> Figure:
    """Plot the validation scores of a grid search."""
    return plots.plot_grid_scores([each.model_dump() for each in finetuning.grid], finetuning.monitor)


def plot_predictions(scored: TensorData, columns: DataSpec, metrics: EvaluationReport) -> Figure:
    """Plot the confusion matrix of a classification, predicted against true values of a regression."""
    targets, scores = scored.targets, scored.inputs
    if columns.task == "regression":
        name = columns.target_names[0]
        return plots.plot_predicted_vs_true(targets, scores, target_name=columns.transform.label(name))
    if columns.task == "multilabel":
        return plots.plot_label_errors(targets, scores, columns.target_names)
    multiclass = columns.task == "multiclass"
    chosen = scores.argmax(1) if multiclass else reaches_threshold(scores, metrics.threshold)
    return plots.plot_confusion_matrix(targets, chosen, columns.class_names)


def plot_ranking_curves(scored: TensorData, columns: DataSpec) -> Figure:
    """Plot the ROC and the precision-recall curves of a classification."""
    names = columns.target_names if columns.task == "multilabel" else columns.class_names
    return plots.plot_roc_and_pr_curves(columns.task, scored.targets, scored.inputs, names)


def plot_importance(importance: ImportanceTable) -> Figure:
    """Plot the permutation importance of each column."""
    return plots.plot_importances(importance.root)


def plot_comparison(metrics: EvaluationReport) -> Figure:
    """Plot the network's metrics beside those of the baselines."""
    models = {"network": metrics.network.root} | {name: of.root for name, of in metrics.baselines.items()}
    shown = ("error", "roc_auc", "log_loss", "rmse", "mae", "r2")
    return plots.plot_metric_comparison(models, [name for name in shown if name in metrics.network])


def plot_calibration(scored: TensorData, columns: DataSpec) -> Figure:
    """Plot the calibration curve of the predicted probabilities (or values)."""
    return plots.plot_calibration(columns.task, scored.targets, scored.inputs, positive=columns.positive)


def plot_latent_map(network: MLP, test: TensorData, columns: DataSpec) -> Figure:
    """Plot the test rows' activations in the last hidden layer, in the plane of most variance."""
    rows = test[slice(0, MOST_ROWS)]
    return latent_map_figure(encode_rows(network, rows.inputs), rows, columns)


def plot_augmentation(
    labelled: TensorData, columns: DataSpec, settings: FinetuningSettings, seed: int
) -> Figure:
    """Plot training rows after each chosen augmentation, and after all of them together."""
    assert columns.image_shape is not None
    chosen, rows = settings.augmentation.chosen, labelled.inputs[:10]
    parts = {name: {name: getattr(settings.augmentation, name)} for name in chosen}
    if len(chosen) > 1:
        parts["all"] = settings.augmentation.model_dump()
    variants = {"as they are": rows}
    for name, part in parts.items():
        augment = make_augmentation(AugmentationSettings(**part), columns.image_shape, seed, "cpu", name)
        variants[name.replace("_", " ")] = augment(rows)
    return plots.plot_image_rows(
        variants, columns.image_shape, title="Training rows as the network sees them"
    )


def plot_features(stack: DBN | DBM, columns: DataSpec) -> Figure:
    """Plot the first-layer features of a pretrained stack of RBMs."""
    return plots.plot_features(
        stack.filters, image_shape=columns.image_shape, feature_names=columns.feature_names
    )


def plot_autoencoder_features(stack: StackedAutoencoders, test: TensorData, columns: DataSpec) -> Figure:
    """Plot the first-layer features of pretrained autoencoders, of pixels by how much these vary."""
    return _features_of_varying_pixels(stack.filters, test, columns)


def plot_network_features(network: MLP, test: TensorData, columns: DataSpec) -> Figure:
    """Plot the first-layer features of the trained network, of pixels by how much these vary."""
    return _features_of_varying_pixels(network.input_weight.T, test, columns)


def _features_of_varying_pixels(weights: Tensor, test: TensorData, columns: DataSpec) -> Figure:
    """Plot weights without those of pixels that never change, which stay as they were drawn.

    Contrastive divergence decays them, so that a stack of RBMs needs no such thing.
    """
    return plots.plot_features(
        weights.cpu(),
        image_shape=columns.image_shape,
        feature_names=columns.feature_names,
        rows=test.inputs[:MOST_ROWS].cpu() if columns.image_shape else None,
    )


def plot_samples(
    stack: DBN | DBM, training: TensorData, columns: DataSpec, settings: EvaluationSettings, seed: int
) -> Figure:
    """Plot images that the stack samples: of a DBN Gibbs sampling in its top RBM, then one pass down."""
    assert columns.image_shape is not None
    means = _sample_stack(stack, training, settings.samples, settings, torch_rng(seed, "samples"))
    kind = "belief network" if isinstance(stack, DBN) else "Boltzmann machine"
    title = f"Samples of the deep {kind}, {settings.sampling_steps} Gibbs steps from training rows"
    return plots.plot_samples(means, columns.image_shape, title=title)


def plot_sampled_rows(
    stack: DBN | DBM,
    training: TensorData,
    preprocessor: LabelledPreprocessor,
    settings: EvaluationSettings,
    seed: int,
) -> Figure:
    """Plot the columns of the rows that the stack samples beside those of the training rows."""
    rng = torch_rng(seed, "samples")
    means = _sample_stack(stack, training, max(settings.samples, 1000), settings, rng)
    samples = stack.visible_units.sample(means, rng)
    real = preprocessor.restore_inputs(training.inputs.numpy())
    return plots.plot_marginals(real, preprocessor.restore_inputs(samples.numpy()))


def _sample_stack(
    stack: DBN | DBM, training: TensorData, n: int, settings: EvaluationSettings, rng: torch.Generator
) -> Tensor:
    # From training rows, since a chain from noise may not leave the first mode that it reaches.
    start = training.inputs[torch.randint(len(training), (n,), generator=rng)]
    return stack.sample(n, settings.sampling_steps, rng, start=start)
