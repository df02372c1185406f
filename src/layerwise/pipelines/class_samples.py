"""Samples of each class from a DBN: a second top RBM with label units, trained, measured and plotted."""

import logging

import torch
from kedro.pipeline import Pipeline
from matplotlib.figure import Figure

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.models import MLP
from layerwise.models.rbm import DBN, RBM, sample_of_classes
from layerwise.parameters import DBNSettings, EvaluationSettings
from layerwise.parameters.sizing import chain_learning
from layerwise.pipelines.facts import ProblemFacts
from layerwise.pipelines.stage import Stage
from layerwise.training import LayerHistory
from layerwise.training.gan import predict_classes
from layerwise.training.rbm import PretrainingSettings, RBMTrainingSettings, train_label_rbm
from layerwise.utils import choose_device, torch_rng

log = logging.getLogger(__name__)

# Samples of each class, and how many of them are shown.
SAMPLED, SHOWN = 50, 12
# Chains that last need more epochs than the layer that learns features has, and up to twice as many of few steps.
MORE_EPOCHS, MOST_EPOCHS, FEWEST_STEPS = 1.5, 3.0, 2200
# Weights that decay keep the chains moving between modes; docs/pipelines/dbn.md has what both are worth.
WEIGHT_DECAY = 0.001


def has_class_samples(facts: ProblemFacts) -> bool:
    """Say whether rows may be sampled by their class: images of Bernoulli units that have one."""
    return (
        facts.has_rows("images")
        and facts.have_classes
        and facts.is_on("dbn.class_samples")
        and facts.parameter("pretraining.visible") in (None, "auto", "bernoulli")
        and not facts.parameter("pretraining.dropout")
    )


def create_pipeline(name: str) -> Pipeline:
    """Return the training of the RBM with label units, what is measured of its samples, and their figure."""
    rows = ["labelled", "validation", "data_spec"]
    evaluation = Stage("evaluation", name)
    return Pipeline(
        [
            Stage("pretraining", name).node(
                train_class_generator,
                ["stack", *rows, "dbn_settings", "pretraining_settings", "params:seed"],
                ["label_rbm", "label_rbm_history"],
                "train_label_rbm",
            ),
            evaluation.node(
                sample_classes,
                ["stack", "label_rbm", "labelled", "data_spec", "params:evaluation", "params:seed"],
                "class_samples",
            ),
            evaluation.node(measure_class_samples, ["network", "class_samples"], "metrics_class_samples"),
            Stage("reporting", name).figure(
                plot_class_samples, ["class_samples", "data_spec", "params:evaluation"], "plot_samples"
            ),
        ]
    )


def train_class_generator(
    stack: DBN,
    labelled: TensorData,
    validation: TensorData,
    columns: DataSpec,
    dbn: DBNSettings,
    pretraining: PretrainingSettings,
    seed: int,
) -> tuple[RBM, LayerHistory]:
    """Train an RBM with label units on the stack's second-highest layer; the stack stays as it is."""
    batch_size = min(pretraining.batch_size, len(labelled))
    epochs = pretraining.layer_epochs(len(dbn.hidden_sizes))[-1]
    settings = RBMTrainingSettings(
        n_hidden=dbn.hidden_sizes[-1],
        epochs=chain_epochs(epochs, len(labelled), batch_size),
        batch_size=batch_size,
        weight_decay=WEIGHT_DECAY,
        chain="persistent",
        pseudo_likelihood_rows=0,
        **chain_learning("persistent", None),
    )
    device = choose_device(stack, batch_size, "pretraining")
    rows = labelled.to(device), validation.to(device)
    rbm, result = train_label_rbm(stack.to(device), *rows, columns.n_classes, settings, seed)
    stack.cpu()
    return rbm.cpu(), LayerHistory.of(result)


def chain_epochs(epochs: int, n_rows: int, batch_size: int) -> int:
    """Return the epochs of the RBM with label units.

    Args:
        epochs: of the layer that learns features, at whose place it stands.
        n_rows: of training.
        batch_size: rows of a step.
    """
    wanted = max(MORE_EPOCHS * epochs, FEWEST_STEPS / -(-n_rows // batch_size))
    return round(min(wanted, MOST_EPOCHS * epochs))


def sample_classes(
    stack: DBN,
    label_rbm: RBM,
    labelled: TensorData,
    columns: DataSpec,
    settings: EvaluationSettings,
    seed: int,
) -> TensorData:
    """Sample rows of each class in turn, whose targets are the classes that they were sampled of.

    Chains start at training rows of the class: from coin flips some stay in a mode of another class, whose few label
    units they outvote.
    """
    assert labelled.targets is not None
    n_classes, rng = columns.n_classes, torch_rng(seed, "class samples")
    classes, known = torch.arange(n_classes).repeat_interleave(SAMPLED), labelled.targets.reshape(-1).long()
    weights = (known == classes[:, None]).float()
    weights[weights.sum(1) == 0] = 1.0  # a class of which no row is labelled starts at any
    start = labelled.inputs[torch.multinomial(weights, 1, generator=rng)[:, 0]]
    rows = sample_of_classes(stack, label_rbm, classes, n_classes, settings.sampling_steps, rng, start=start)
    return TensorData(rows, classes)


def measure_class_samples(network: MLP, samples: TensorData) -> LoggedMetrics:
    """Return the fraction of samples that the fine-tuned network gives the class that they were sampled of."""
    assert samples.targets is not None
    accuracy = float((predict_classes(network, samples.inputs) == samples.targets).double().mean())
    log.info("The network gives %.1f %% of the samples of a class that class", 100 * accuracy)
    return LoggedMetrics.of({"class_samples/accuracy": accuracy})


def plot_class_samples(samples: TensorData, columns: DataSpec, settings: EvaluationSettings) -> Figure:
    """Plot samples of each class, a line a class."""
    assert columns.image_shape is not None
    shown = [rows[:SHOWN] for rows in samples.inputs.clamp(0, 1).split(SAMPLED)]
    title = f"Samples of each class, {settings.sampling_steps} Gibbs steps from training rows of it"
    lines = dict(zip(columns.class_names, shown, strict=True))
    return plots.plot_image_rows(lines, columns.image_shape, title=title)
