"""k-means as the recipes of CONTRIBUTING.md have it: a model, a plan, a pipeline with typed data, and a task."""

NETWORK = '''
"""Cluster centers (MacQueen 1967)."""

from typing import Literal

import torch
from torch import Tensor, nn

from layerwise.models.kinds import register_network
from layerwise.utils import Config


class CentersConfig(Config):
    """The shape."""

    kind: Literal["centers"] = "centers"
    n_inputs: int
    n_clusters: int = 10


@register_network(CentersConfig)
class Centers(nn.Module):
    """The centers, (n_clusters, n_inputs), and how many rows each had."""

    def __init__(self, config: CentersConfig, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("centers", torch.rand(config.n_clusters, config.n_inputs, generator=rng))
        self.register_buffer("counts", torch.zeros(config.n_clusters))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return each row's nearest center and its squared distance."""
        distances, nearest = torch.cdist(rows, self.centers).min(1)
        return nearest, distances**2
'''
PLAN = '''
"""Online k-means: a batch draws each center to the mean of the rows that it was nearest to."""

from collections.abc import Mapping

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models import Centers
from layerwise.training.plan import Losses, TrainingPlan
from layerwise.utils import Config


class ClusterHistory(Config):
    """The metrics of each epoch."""

    epochs: tuple[dict[str, float], ...]


class OnlineKMeans(TrainingPlan):
    """Moves the centers."""

    def __init__(self, network: Centers) -> None:
        self.network = network

    def on_train_start(self, progress: Progress) -> None:
        """Need nothing."""

    def on_epoch_start(self, epoch: int) -> None:
        """Need nothing."""

    def training_step(self, batch: TensorData) -> Losses:
        """Move the centers; return the squared distances."""
        own = self.network
        nearest, loss = own(batch.inputs)
        new = torch.bincount(nearest, minlength=len(own.counts)).float()
        sums = torch.zeros_like(own.centers).index_add_(0, nearest, batch.inputs)
        own.counts += new
        own.centers += (sums - new[:, None] * own.centers) / own.counts.clamp(min=1)[:, None]
        return {"loss": loss}

    def validation_step(self, batch: TensorData) -> Losses:
        """Return the squared distances."""
        return {"loss": self.network(batch.inputs)[1]}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the centers and counts."""
        return {name: value.clone() for name, value in self.network.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back."""
        self.network.load_state_dict(state)
'''
NODES = '''
"""Nodes of the pipeline clusters."""

from matplotlib.figure import Figure

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation import plots
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.models import Centers, CentersConfig
from layerwise.training import ClusterHistory, OnlineKMeans, fit
from layerwise.utils import torch_rng


def train_centers(
    training: TensorData, validation: TensorData, columns: DataSpec, seed: int
) -> tuple[Centers, ClusterHistory]:
    """Train the centers."""
    network = Centers(CentersConfig(n_inputs=columns.n_inputs), torch_rng(seed, "centers"))
    order, plan = torch_rng(seed, "centers", "order"), OnlineKMeans(network)
    progress = fit(
        plan, training, epochs=2, batch_size=100, rng=order, validation=validation, name="centers", prefix=""
    )
    return network, ClusterHistory(epochs=tuple(progress.history))


def measure_distances(network: Centers, test: TensorData) -> LoggedMetrics:
    """Measure the squared distance of a row from its center."""
    return LoggedMetrics.of({"distance": float(network(test.inputs)[1].mean())}, prefix="test/")


def plot_learning_curves(history: ClusterHistory) -> Figure:
    """Plot the distances by epoch."""
    return plots.plot_learning_curves({"centers": history.epochs})
'''
PIPELINE = '''
"""k-means."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.clusters import nodes
from layerwise.pipelines.evaluation.cards import create_network_card
from layerwise.pipelines.stage import Stage
from layerwise.sweeping import Objective

NAME = "clusters"
OBJECTIVE = Objective(metric="validation/loss", history="centers_history", fixed=("preprocessing",))


def create_pipeline() -> Pipeline:
    """Return the pipeline."""
    training, evaluation, reporting = (Stage(name, NAME) for name in ("training", "evaluation", "reporting"))
    rows = ["training", "validation", "data_spec", "params:seed"]
    own = [
        training.node(nodes.train_centers, rows, ["centers", "centers_history"]),
        evaluation.node(nodes.measure_distances, ["centers", "test"], "metrics_centers"),
        reporting.figure(nodes.plot_learning_curves, ["centers_history"]),
    ]
    before = preprocessing.create_pipeline(NAME, supervised=False, labelled=False, input_example=True)
    found = before + Pipeline(own)
    return found + create_network_card(NAME, "cluster centers", found)
'''
TASK = '''
"""The cluster of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layerwise.inference.tasks.base import Task, register_task
from layerwise.models import Centers
from layerwise.parameters import TaskSettings

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


@register_task
class Assign(Task):
    """Return the nearest center of each row."""

    name = "assign"

    def suits(self, model: TrainedModel) -> bool:
        """Return whether the network has centers."""
        return isinstance(model.network, Centers)

    def columns(self, model: TrainedModel, settings: TaskSettings) -> list[str]:
        """Return one name."""
        return ["cluster"]

    def answer(self, model: TrainedModel, rows: Any, settings: TaskSettings) -> pd.DataFrame:
        """Return the numbers of the centers."""
        import pandas as pd

        return pd.DataFrame({"cluster": model.network(model.inputs(rows))[0].numpy()})
'''
CATALOG = """
clusters.centers:
  type: layerwise.datasets.NetworkDataset
  filepath: data/06_models/${problem:}/clusters/centers
  metadata:
    <<: *models
    mlflow:
      model: true

clusters.centers_history:
  type: layerwise.datasets.TypedDataset
  model: layerwise.training.ClusterHistory
  filepath: data/07_model_output/${problem:}/clusters/centers_history.json
  metadata: *model_output
"""
NEW_FILES = {
    "models/centers.py": NETWORK,
    "training/online_kmeans.py": PLAN,
    "pipelines/clusters/__init__.py": "from layerwise.pipelines.clusters.pipeline import create_pipeline\n",
    "pipelines/clusters/nodes.py": NODES,
    "pipelines/clusters/pipeline.py": PIPELINE,
    "inference/tasks/assign.py": TASK,
}
CHANGES = {
    "models/__init__.pyi": [
        (
            "from .diagram import",
            "from .centers import Centers as Centers, CentersConfig as CentersConfig\nfrom .diagram import",
        )
    ],
    "training/__init__.pyi": [
        (
            "from .plan import",
            "from .online_kmeans import ClusterHistory as ClusterHistory, OnlineKMeans as OnlineKMeans\n"
            "from .plan import",
        )
    ],
}
