import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.training.autoencoder import (
    AutoencoderSettings,
    SAESettings,
    build_autoencoder,
    build_stack,
    pretrain_layers,
    train_autoencoder,
)
from layerwise.training.callbacks import Callback, ReduceOnPlateau
from layerwise.training.rbm import PretrainingSettings

COLUMNS = DataSpec(
    task="multiclass",
    n_inputs=6,
    n_outputs=2,
    feature_names=tuple("abcdef"),
    target_names=("class",),
    class_names=("0", "1"),
    blocks=(ColumnBlock(name="numbers", kind="real", start=0, stop=6),),
)


def rows(n, seed):
    return TensorData(torch.randn(n, 6, generator=torch.Generator().manual_seed(seed)))


class Scales(Callback):
    """Keeps the scale of the learning rate after each epoch."""

    def __init__(self):
        self.found = []

    def on_epoch_start(self, progress):
        self.found.append(progress.plan.learning_rate_scale)


def scales_of(losses, factor, patience):
    """The scale in each epoch, by the rule as it is written."""
    scale, best, waited, found = 1.0, float("inf"), 0, []
    for loss in losses:
        found.append(scale)
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited == patience:
            scale, waited = scale * factor, 0
    return found


def test_an_autoencoders_rate_falls_where_its_validation_loss_stays():
    settings = AutoencoderSettings(
        epochs=30,
        batch_size=20,
        learning_rate=0.1,
        schedule="plateau",
        plateau_patience=2,
        plateau_factor=0.5,
    )
    network = build_autoencoder(settings, COLUMNS, torch.Generator().manual_seed(0))
    seen = Scales()
    progress, _ = train_autoencoder(network, rows(60, 1), rows(40, 2), COLUMNS, settings, 0, callbacks=[seen])
    expected = scales_of([epoch["validation/loss"] for epoch in progress.history], 0.5, 2)
    assert seen.found == expected
    assert expected[-1] < 1


def test_the_rates_of_a_stacks_layers_fall_too(monkeypatch):
    fallen = []
    on_epoch_end = ReduceOnPlateau.on_epoch_end

    def record(self, progress, metrics):
        on_epoch_end(self, progress, metrics)
        fallen.append((progress.name, self.plan.learning_rate_scale))

    monkeypatch.setattr(ReduceOnPlateau, "on_epoch_end", record)
    settings = SAESettings(
        hidden_sizes=(5, 4), learning_rate=0.3, schedule="plateau", plateau_patience=1, plateau_factor=0.5
    )
    stack = build_stack(settings, COLUMNS, torch.Generator().manual_seed(0))
    chosen = PretrainingSettings(epochs=20, batch_size=20)
    pretrain_layers(stack, rows(60, 1), rows(40, 2), COLUMNS, settings, chosen, 0)
    for name in ("pretraining layer 1 of 2", "pretraining layer 2 of 2"):
        scales = [scale for layer, scale in fallen if layer == name]
        assert len(scales) == 20
        assert scales[-1] < scales[0]
