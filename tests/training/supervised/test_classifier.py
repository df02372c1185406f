import pytest
import torch

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.supervised import (
    ClassifierSettings,
    FinetuningSettings,
    finetune,
    train_classifier,
)


def network():
    shape = MLPConfig(n_inputs=2, n_outputs=2, hidden_sizes=(8,), activation="tanh", dropout=0.2)
    return MLP(shape, torch.Generator().manual_seed(0))


def rings(n, seed):
    """Two classes, inside and outside of a circle; a fifth of the labels are wrong."""
    rng = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 2, generator=rng)
    targets = inputs.norm(dim=1).gt(1.18).long()
    wrong = torch.rand(n, generator=rng) < 0.2
    return TensorData(inputs, torch.where(wrong, 1 - targets, targets))


@pytest.mark.parametrize("task", ["multiclass", "binary", "regression"])
def test_a_classifier_learns_as_fine_tuning_with_the_same_settings_does(task):
    training, validation = rings(100, 1), rings(60, 2)
    if task != "multiclass":
        training, validation = (
            TensorData(rows.inputs, rows.targets[:, None].float().expand(-1, 2))
            for rows in (training, validation)
        )
    chosen = {"epochs": 8, "batch_size": 32, "learning_rate": 0.05, "schedule": "cosine", "patience": 3}
    one, other = network(), network()
    mine = train_classifier(
        one, task, training, validation, ClassifierSettings(**chosen), 4, name="classifier"
    )
    theirs = finetune(other, task, training, validation, FinetuningSettings(**chosen), 4, silent=True)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not one.training
    for a, b in zip(mine.history, theirs.history, strict=True):
        assert {k: v for k, v in a.items() if k != "seconds"} == {
            k: v for k, v in b.items() if k != "seconds"
        }


def test_patience_ends_it_and_the_best_weights_stay():
    net, held_out = network(), rings(60, 2)
    chosen = ClassifierSettings(epochs=200, batch_size=20, learning_rate=0.05, patience=5)
    progress = train_classifier(net, "multiclass", rings(40, 1), held_out, chosen, 0, name="classifier")
    losses = [epoch["validation/loss"] for epoch in progress.history]
    assert len(losses) == losses.index(min(losses)) + 1 + 5
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(net(held_out.inputs), held_out.targets)
    assert float(loss) == pytest.approx(min(losses), rel=1e-5)


def test_a_batch_larger_than_the_rows_is_all_of_them():
    chosen = ClassifierSettings(epochs=2, batch_size=500)
    progress = train_classifier(
        network(), "multiclass", rings(40, 1), rings(20, 2), chosen, 0, name="classifier"
    )
    assert progress.n_batches == 1
