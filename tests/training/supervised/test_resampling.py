import pytest
import torch

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training import TrainingError
from layerwise.training.supervised import FinetuningSettings, finetune, train_network_stack
from layerwise.training.supervised.losses import resample

# Seven rows of class 0, two of class 1 and three of class 2; a row's input is its number.
CODES = torch.tensor([0, 1, 0, 0, 2, 0, 2, 0, 1, 0, 2, 0])
ROWS = TensorData(torch.arange(12.0)[:, None], CODES, weights=torch.arange(12.0) + 1)


def numbers(rows, code):
    return sorted(rows.inputs[rows.targets == code, 0].int().tolist())


def test_oversampling_keeps_every_row_and_repeats_those_of_a_rare_class_alike():
    found = resample(ROWS, "oversample", "multiclass", 0)
    assert [len(numbers(found, code)) for code in range(3)] == [7, 7, 7]
    assert numbers(found, 0) == numbers(ROWS, 0)
    assert sorted(numbers(found, 1).count(k) for k in (1, 8)) == [3, 4]
    assert sorted(numbers(found, 2).count(k) for k in (4, 6, 10)) == [2, 2, 3]
    assert torch.equal(found.weights, found.inputs[:, 0] + 1)  # a row's weight stays its own


def test_undersampling_leaves_rows_of_the_frequent_classes_out():
    found = resample(ROWS, "undersample", "multiclass", 0)
    assert [len(set(numbers(found, code))) for code in range(3)] == [2, 2, 2]
    assert numbers(found, 1) == [1, 8]
    drawn = {tuple(numbers(resample(ROWS, "undersample", "multiclass", seed), 0)) for seed in range(5)}
    assert len(drawn) > 1
    assert set().union(*drawn) <= set(numbers(ROWS, 0))


def test_a_network_trains_on_the_resampled_rows_of_its_seed_and_the_validation_rows_stay():
    labels = (torch.arange(40) % 10 == 0).float()[:, None]
    rows = TensorData(torch.randn(40, 2, generator=torch.Generator().manual_seed(1)), labels)
    settings = {"epochs": 3, "batch_size": 12}
    networks = [
        MLP(MLPConfig(n_inputs=2, n_outputs=1, hidden_sizes=(4,)), torch.Generator().manual_seed(0))
        for _ in range(3)
    ]
    one, other, plain = networks
    chosen = FinetuningSettings(**settings, resampling="oversample")
    history = finetune(one, "binary", rows, rows, chosen, seed=3, silent=True).history
    again = finetune(
        other, "binary", resample(rows, "oversample", "binary", 3), rows, FinetuningSettings(**settings), seed=3,
        silent=True,
    ).history  # fmt: skip
    finetune(plain, "binary", rows, rows, FinetuningSettings(**settings), seed=3, silent=True)
    assert [epoch["validation/loss"] for epoch in history] == [epoch["validation/loss"] for epoch in again]
    assert torch.equal(one.output.weight, other.output.weight)
    assert not torch.equal(one.output.weight, plain.output.weight)


def test_what_has_no_classes_or_several_networks_is_refused():
    rows = TensorData(torch.zeros(4, 2), torch.zeros(4, 1))
    chosen = FinetuningSettings(resampling="undersample")
    network = MLP(MLPConfig(n_inputs=2, n_outputs=1, hidden_sizes=(3,)), torch.Generator().manual_seed(0))
    with pytest.raises(TrainingError, match="resampling is for classes, and the task is regression"):
        finetune(network, "regression", rows, rows, chosen, seed=0)
    with pytest.raises(TrainingError, match="resampling is for one network"):
        train_network_stack([network, network], "binary", rows, rows, chosen, [0, 1])
    with pytest.raises(ValueError, match="do the same twice"):
        FinetuningSettings(resampling="undersample", class_weights="balanced")
