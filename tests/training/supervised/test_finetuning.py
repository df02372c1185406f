import numpy as np
import pytest
import torch
from helpers.seeded import seeded
from sklearn.linear_model import LogisticRegression

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training import TrainingError
from layerwise.training.supervised import FinetuningSettings, finetune, train_network_stack
from layerwise.training.supervised.losses import task_error, task_loss


def network(seed=0, **changes):
    shape = {"n_inputs": 2, "n_outputs": 2, "hidden_sizes": (8,), "activation": "tanh"} | changes
    return MLP(MLPConfig(**shape), seeded(seed))


def rings(n=200, seed=1, noise=0.0):
    """Two classes that no line separates: inside and outside of a circle; some labels are wrong."""
    rng = seeded(seed)
    inputs = torch.randn(n, 2, generator=rng)
    targets = inputs.norm(dim=1).gt(1.18).long()
    wrong = torch.rand(n, generator=rng) < noise
    return TensorData(inputs, torch.where(wrong, 1 - targets, targets))


def settings(**changes):
    return FinetuningSettings(**{"epochs": 8, "batch_size": 32, "learning_rate": 0.01} | changes)


def losses(net, rows, task="multiclass"):
    with torch.no_grad():
        return float(task_loss(task, net(rows.inputs), rows.targets).mean())


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_a_network_without_hidden_layers_finds_the_logistic_regression_of_scikit_learn():
    inputs = torch.randn(300, 2, generator=seeded(1))
    targets = (inputs @ torch.tensor([1.5, -1.0]) + torch.randn(300, generator=seeded(2)) > 0.3).float()
    rows = TensorData(inputs, targets[:, None])
    net = network(n_outputs=1, hidden_sizes=())
    chosen = settings(epochs=300, batch_size=300, learning_rate=0.1, schedule="cosine")
    finetune(net, "binary", rows, rows, chosen, seed=0)
    peer = LogisticRegression(C=1e9, tol=1e-8).fit(inputs, targets)
    np.testing.assert_allclose(net.output.weight.detach(), peer.coef_, rtol=2e-3)
    np.testing.assert_allclose(net.output.bias.detach(), peer.intercept_, rtol=0, atol=5e-3)


def test_a_network_without_hidden_layers_finds_least_squares():
    inputs = torch.randn(200, 2, generator=seeded(1))
    targets = inputs @ torch.tensor([[1.0, 2.0], [-1.0, 0.5]]) + torch.randn(200, 2, generator=seeded(2))
    net = network(hidden_sizes=())
    chosen = settings(epochs=300, batch_size=200, learning_rate=0.2, schedule="cosine")
    finetune(net, "regression", TensorData(inputs, targets), TensorData(inputs, targets), chosen, seed=0)
    design = torch.cat([inputs, torch.ones(200, 1)], 1)
    exact = torch.linalg.lstsq(design, targets).solution
    torch.testing.assert_close(net.output.weight.detach(), exact[:2].t(), rtol=0, atol=2e-3)
    torch.testing.assert_close(net.output.bias.detach(), exact[2], rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        ("sgd", 0.5),
        ("momentum", 0.1),
        ("nesterov", 0.1),
        ("rmsprop", 0.01),
        ("adagrad", 0.1),
        ("adam", 0.02),
        ("adamw", 0.02),
        ("adamax", 0.03),
    ],
)
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_every_optimizer_learns_what_no_linear_model_can(optimizer, rate, schedule):
    net, training = network(hidden_sizes=(16,)), rings(400)
    chosen = settings(optimizer=optimizer, learning_rate=rate, schedule=schedule, epochs=60)
    finetune(net, "multiclass", training, rings(200, seed=2), chosen, seed=0)
    unseen = rings(400, seed=3)
    assert float(task_error("multiclass", net(unseen.inputs), unseen.targets).mean()) < 0.1


def test_the_network_ends_with_the_weights_of_its_best_epoch():
    net, validation = network(hidden_sizes=(64,)), rings(60, seed=2, noise=0.25)
    chosen = settings(epochs=60, learning_rate=0.05, schedule="constant")
    progress = finetune(net, "multiclass", rings(40, noise=0.25), validation, chosen, seed=0)
    loss_curve = [entry["validation/loss"] for entry in progress.history]
    assert loss_curve[-1] > min(loss_curve) + 0.1  # it did overfit
    assert losses(net, validation) == pytest.approx(min(loss_curve), rel=1e-5)
    assert len(loss_curve) == 60


def test_the_best_epoch_is_the_one_whose_weights_were_kept_though_a_later_one_is_better_by_less_than_min_delta():
    net, validation = network(hidden_sizes=(64,)), rings(60, seed=2, noise=0.25)
    chosen = settings(epochs=20, learning_rate=0.02, schedule="constant", min_delta=0.02)
    progress = finetune(net, "multiclass", rings(40, noise=0.25), validation, chosen, seed=0)
    loss_curve = [entry["validation/loss"] for entry in progress.history]
    assert progress.best_epoch < 1 + int(np.argmin(loss_curve))
    assert losses(net, validation) == pytest.approx(loss_curve[progress.best_epoch - 1], rel=1e-5)
    last = settings(epochs=2, keep_best_weights=False)
    assert finetune(network(), "multiclass", rings(), rings(), last, seed=0).best_epoch == 0


def test_early_stopping_ends_training_and_restores_the_best_weights():
    net, validation = network(hidden_sizes=(64,)), rings(60, seed=2, noise=0.25)
    chosen = settings(epochs=200, learning_rate=0.05, patience=4)
    progress = finetune(net, "multiclass", rings(40, noise=0.25), validation, chosen, seed=0)
    loss_curve = [entry["validation/loss"] for entry in progress.history]
    best = int(np.argmin(loss_curve)) + 1
    assert progress.epoch == best + 4 < 200
    assert progress.stop == f"no gain in validation/loss since epoch {best}"
    assert losses(net, validation) == pytest.approx(min(loss_curve), rel=1e-5)


def test_the_error_can_be_monitored_instead_of_the_loss():
    net, validation = network(hidden_sizes=(64,)), rings(100, seed=2, noise=0.25)
    chosen = settings(epochs=40, learning_rate=0.05, monitor="validation/error")
    progress = finetune(net, "multiclass", rings(60, noise=0.25), validation, chosen, seed=0)
    loss_curve = [entry["validation/error"] for entry in progress.history]
    with torch.no_grad():
        error = task_error("multiclass", net(validation.inputs), validation.targets).mean()
    assert float(error) == pytest.approx(min(loss_curve))


@pytest.mark.parametrize("n", [1, 7, 31])
def test_fewer_labelled_rows_than_a_batch_make_one_batch_of_all(n):
    net = network()
    before = network()
    progress = finetune(net, "multiclass", rings(n), rings(50, seed=2), settings(), seed=0)
    assert progress.n_batches == 1
    assert len(progress.history) == 8
    assert not same(net, before)
    # One full batch without dropout: the first epoch's training loss is the start's, exactly averaged.
    assert progress.history[0]["train/loss"] == pytest.approx(losses(before, rings(n)), rel=1e-5)


def test_the_schedule_reaches_its_end_with_the_last_step():
    net, validation = network(), rings(50, seed=2)
    progress = finetune(net, "multiclass", rings(70), validation, settings(schedule="cosine"), seed=0)
    plan = progress.plan
    assert progress.n_batches == 3  # 32, 32 and 6 rows
    assert plan.steps_done == plan.steps_planned == 24


def test_freezing_trains_the_head_alone_and_thaws_the_network_at_the_end():
    net, before = network(), network()
    finetune(net, "multiclass", rings(), rings(50, seed=2), settings(), seed=0, freeze=True)
    assert torch.equal(net.hidden[0].weight, before.hidden[0].weight)
    assert torch.equal(net.hidden[0].bias, before.hidden[0].bias)
    assert not torch.equal(net.output.weight, before.output.weight)
    assert all(value.requires_grad for value in net.parameters())
    assert not net.training


def test_the_same_seed_gives_the_same_bits_and_another_one_others():
    results = []
    for k, seed in enumerate((4, 4, 5)):
        torch.manual_seed(k)
        net = network(dropout=0.3, input_dropout=0.1)
        progress = finetune(net, "multiclass", rings(), rings(50, seed=2), settings(), seed)
        results.append((net, [entry["train/loss"] for entry in progress.history]))
    assert same(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    assert not same(results[0][0], results[2][0])


def test_dynamic_binarization_samples_anew_for_training_alone():
    # Every input is .5: binarized it is 0 or 1, and the network sees .5 when it is evaluated.
    gray = TensorData(torch.full((64, 2), 0.5), torch.zeros(64, 1))
    net = network(n_outputs=1, hidden_sizes=())
    start = losses(net, gray, "binary")
    chosen = settings(epochs=1, batch_size=64, optimizer="sgd", learning_rate=1e-12)
    progress = finetune(net, "binary", gray, gray, chosen, seed=0, dynamic_binarization=True)
    assert progress.history[0]["validation/loss"] == pytest.approx(start, rel=1e-6)
    assert progress.history[0]["train/loss"] != pytest.approx(start, rel=1e-6)


def test_a_rate_that_is_far_too_high_is_named_as_the_cause():
    net = network(n_outputs=1, activation="relu")
    rows = TensorData(1000 * rings().inputs, rings().inputs[:, :1])
    chosen = settings(optimizer="sgd", learning_rate=1e6, epochs=20)
    with pytest.raises(TrainingError, match=r"fine-tuning: .* in epoch \d+.*lower learning rate"):
        finetune(net, "regression", rows, rows, chosen, seed=0)


def test_label_smoothing_is_refused_on_a_regression_by_one_network_and_by_a_stack():
    rows = TensorData(torch.randn(20, 2, generator=seeded(1)), torch.randn(20, 2, generator=seeded(2)))
    chosen = settings(label_smoothing=0.1)
    for train in (
        lambda: finetune(network(), "regression", rows, rows, chosen, seed=0),
        lambda: train_network_stack(
            [network(), network(1)], "regression", rows, rows, chosen, [0, 1], [{}, {}]
        ),
    ):
        with pytest.raises(TrainingError, match="label_smoothing is for classes, and the task is regression"):
            train()
