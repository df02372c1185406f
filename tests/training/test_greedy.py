"""What greedy layer-wise pretraining does whatever the layers are: here a layer multiplies its inputs."""

import pytest
import torch

from layerwise.data import TensorData
from layerwise.training import TrainingPlan
from layerwise.training.callbacks import Callback, ReconstructionHistory
from layerwise.training.greedy import pretrain_greedily


class Factor(TrainingPlan):
    """A plan that learns nothing; its losses are its inputs."""

    def __init__(self, seen):
        self.seen = seen

    def on_train_start(self, progress):
        self.planned = (progress.epochs, progress.n_batches)

    def on_epoch_start(self, epoch):
        pass

    def training_step(self, batch):
        self.seen.append(batch.inputs)
        return {"loss": batch.inputs[:, 0]}

    def validation_step(self, batch):
        return {"loss": batch.inputs[:, 0]}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class Factors:
    """Layers that multiply by 2, 3, ..."""

    metric = "train/loss"

    def __init__(self):
        self.names, self.plans, self.seen = [], [], [[], [], []]
        self.listeners, self.ended = [], []

    def reconstruction_history(self, row):
        return ReconstructionHistory(lambda rows: (rows, rows.sum()), row)

    def make_plan(self, layer, name, inputs):
        self.names.append((layer, name, len(inputs)))
        self.plans.append(Factor(self.seen[layer]))
        return self.plans[-1]

    def callbacks(self, plan, inputs):
        assert plan is self.plans[-1]
        self.listeners.append(Callback())
        self.listeners[-1].on_train_end = lambda progress: self.ended.append(progress.name)
        return [self.listeners[-1]]

    def make_encoder(self, layer, name):
        return lambda rows: rows * (layer + 2)


def rows(n=10, value=1.0):
    return TensorData(torch.full((n, 3), value))


def test_each_layer_learns_from_the_features_of_the_one_below_for_its_own_epochs():
    layers = Factors()
    found = pretrain_greedily(layers, rows(), rows(4, 10.0), epochs=[4, 1, 2], batch_size=4, seed=0)
    assert layers.names == [(0, "layer_1", 10), (1, "layer_2", 10), (2, "layer_3", 10)]
    assert [plan.planned for plan in layers.plans] == [(4, 3), (1, 3), (2, 3)]
    assert layers.ended == [f"pretraining layer {k} of 3" for k in (1, 2, 3)]
    assert [float(seen[0][0, 0]) for seen in layers.seen] == [1, 2, 6]
    last = {name: epochs[-1] for name, epochs in found.history.items()}
    assert [last[name]["validation/loss"] for name in last] == [10, 20, 60]
    assert [len(epochs) for epochs in found.history.values()] == [4, 1, 2]
    assert found.seconds == pytest.approx(
        sum(epoch["seconds"] for epochs in found.history.values() for epoch in epochs)
    )


def test_the_reconstructions_are_those_of_the_first_layer():
    found = pretrain_greedily(Factors(), rows(), None, epochs=[8, 2], batch_size=5, seed=0)
    assert [epoch for epoch, _, _ in found.reconstruction_history] == [0, 1, 2, 8]
    assert torch.equal(found.row, torch.ones(3))
    assert "validation/loss" not in found.history["layer_1"][0]


def test_dynamic_binarization_is_of_the_first_layer_alone():
    layers = Factors()
    pretrain_greedily(layers, rows(200, 0.3), None, [1, 1], 200, seed=0, dynamic_binarization=True)
    assert set(layers.seen[0][0].unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(layers.seen[1][0], torch.full((200, 3), 0.6))
