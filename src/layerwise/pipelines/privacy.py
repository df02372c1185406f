"""Whether the rows that a network of a table samples give away its training rows."""

import logging

import torch
from kedro.pipeline import Node
from torch import nn

from layerwise.data import TensorData
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.evaluation.generative import measure_privacy
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.inference import ModelManifest, TrainedModel
from layerwise.inference.tasks import answer_rows
from layerwise.models.rbm import DBM, DBN, RBM
from layerwise.parameters import TaskSettings
from layerwise.pipelines.stage import Stage
from layerwise.utils import derive_seed

log = logging.getLogger(__name__)

SAMPLED_ROWS = 1000
# Chains of a large network take fewer steps than a sample does unasked, so that these rows are a matter of seconds:
# so many updates of weights in all, and not below the fewest steps.
MOST_UPDATES, FEWEST_STEPS = 3e9, 100


def create_privacy(pipeline: str, network: str, part: str = "privacy") -> Node:
    """Return the node that measures it.

    Args:
        pipeline: that trains the network.
        network: its name there.
        part: of the name of the metrics' entry.
    """
    inputs = [network, "preprocessor", "training", "test", "params:seed"]
    return Stage("evaluation", pipeline).node(measure_sampled_rows, inputs, f"metrics_{part}")


def chain_steps(network: nn.Module, unasked: int) -> int:
    """Return the Gibbs steps of the rows that are looked at; `unasked` are those of a sample without the setting."""
    n_weights = sum(parameter.numel() for parameter in network.parameters())
    return min(unasked, max(FEWEST_STEPS, int(MOST_UPDATES / (SAMPLED_ROWS * n_weights))))


def measure_sampled_rows(
    network: nn.Module,
    preprocessor: LabelledPreprocessor,
    training: TensorData,
    test: TensorData,
    seed: int,
) -> LoggedMetrics:
    """Sample rows as the model does that is asked to, and look in them for the training rows."""
    model = TrainedModel(network.cpu().eval(), preprocessor, ModelManifest(problem="sampled"))
    asked = TaskSettings(task="sample", n=SAMPLED_ROWS, seed=derive_seed(seed, "privacy") % 2**63)
    if isinstance(network, RBM | DBN | DBM):
        asked = asked.model_copy(update={"steps": chain_steps(network, asked.steps)})
    rows = answer_rows(model, None, asked)
    sampled = torch.from_numpy(preprocessor.inputs(model.select_inputs(rows)))
    found = measure_privacy(training.inputs, test.inputs, sampled, seed)
    log.info(found)
    return LoggedMetrics.of(found.metrics(), prefix="test/")
