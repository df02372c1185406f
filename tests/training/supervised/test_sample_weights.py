"""A row of weight 2 is learnt from as two rows are, alone and in a stack."""

import pytest
import torch

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.supervised import FinetuningSettings, finetune, train_network_stack
from layerwise.utils import torch_rng

SETTINGS = FinetuningSettings(
    epochs=5, batch_size="all", optimizer="sgd", learning_rate=0.5, keep_best_weights=False
)


def rows(task):
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(30, 4, generator=rng, dtype=torch.float64)
    counts = torch.randint(1, 4, (30,), generator=rng)
    if task == "multiclass":
        targets = torch.randint(0, 3, (30,), generator=rng)
    elif task == "regression":
        targets = torch.randn(30, 1, generator=rng, dtype=torch.float64)
    else:
        targets = torch.randint(0, 2, (30, 1), generator=rng).double()
    weighted = TensorData(inputs, targets, counts.double()).with_mean_weight_1()
    repeated = TensorData(inputs.repeat_interleave(counts, 0), targets.repeat_interleave(counts, 0))
    return weighted, repeated


def network(task, seed=0):
    shape = MLPConfig(n_inputs=4, n_outputs=3 if task == "multiclass" else 1, hidden_sizes=(8,))
    return MLP(shape, torch_rng(seed, "network")).double()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_weight_of_2_is_two_rows(task):
    histories, states = [], []
    for part in rows(task):
        trained = network(task)
        progress = finetune(trained, task, part, part, SETTINGS, 0)
        histories.append(progress.history)
        states.append(torch.cat([p.detach().reshape(-1) for p in trained.parameters()]))
    torch.testing.assert_close(*states, rtol=1e-9, atol=1e-12)
    for first, second in zip(*histories, strict=True):
        for name in first:
            if name != "seconds":
                assert first[name] == pytest.approx(second[name], rel=1e-9), name


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_stack_learns_from_weighted_rows_as_one_network_does(task):
    weighted, _ = rows(task)
    settings = SETTINGS.model_copy(update={"batch_size": 7})
    stack, history = train_network_stack(
        [network(task, seed) for seed in (0, 1)], task, weighted, weighted, settings, [0, 1]
    )
    for k, seed in enumerate((0, 1)):
        alone = network(task, seed)
        progress = finetune(alone, task, weighted, weighted, settings, seed)
        for first, second in zip(stack.member(k).parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(first, second, rtol=1e-8, atol=1e-10)
        assert history.history[k][-1]["validation/loss"] == pytest.approx(
            progress.history[-1]["validation/loss"]
        )


def test_weights_matter():
    weighted, _ = rows("binary")
    losses = []
    for part in (weighted, TensorData(weighted.inputs, weighted.targets)):
        progress = finetune(network("binary"), "binary", part, part, SETTINGS, 0)
        losses.append(progress.history[-1]["train/loss"])
    assert abs(losses[0] - losses[1]) > 1e-3
