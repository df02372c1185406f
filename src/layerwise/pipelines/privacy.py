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
from layerwise.parameters import TaskSettings
from layerwise.pipelines.stage import Stage
from layerwise.utils import derive_seed

log = logging.getLogger(__name__)

SAMPLED_ROWS = 1000


def create_privacy(pipeline: str, network: str, part: str = "privacy") -> Node:
    """Return the node that measures it.

    Args:
        pipeline: that trains the network.
        network: its name there.
        part: of the name of the metrics' entry.
    """
    inputs = [network, "preprocessor", "training", "test", "params:seed"]
    return Stage("evaluation", pipeline).node(measure_sampled_rows, inputs, f"metrics_{part}")


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
    rows = answer_rows(model, None, asked)
    sampled = torch.from_numpy(preprocessor.inputs(model.select_inputs(rows)))
    found = measure_privacy(training.inputs, test.inputs, sampled, seed)
    log.info(found)
    return LoggedMetrics.of(found.metrics(), prefix="test/")
