import pytest
import torch

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.data.transforms import AugmentationSettings
from layerwise.models import MLP, Members, MembersConfig, MLPConfig
from layerwise.training import TrainingError
from layerwise.training.supervised import FinetuningSettings, finetune, train_network_stack
from layerwise.training.supervised.network_stacks import NetworkStackPlan
from layerwise.utils import torch_rng

SEEDS = (3, 4, 11)


def rows(n=90, task="binary", seed=0, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 4, generator=rng, dtype=dtype)
    signal = inputs[:, 0] * inputs[:, 1] + 0.5 * torch.randn(n, generator=rng, dtype=dtype)
    if task == "multiclass":
        return TensorData(inputs, (signal > 0).long() + (signal > 1).long())
    if task == "regression":
        return TensorData(inputs, torch.stack([signal, inputs[:, 2].square()], 1))
    return TensorData(inputs, (signal > 0).to(dtype)[:, None])


def networks(task="binary", **changes):
    k = {"binary": 1, "multiclass": 3, "regression": 2}[task]
    shape = MLPConfig(
        **{"n_inputs": 4, "n_outputs": k, "hidden_sizes": (6, 5), "activation": "tanh"} | changes
    )
    return [MLP(shape, torch_rng(seed, "network")).double() for seed in SEEDS]


def both_ways(task="binary", shape=None, **settings):
    """The members trained together, and each alone with its seed."""
    chosen = FinetuningSettings(**{"epochs": 4, "batch_size": 20, "learning_rate": 0.02} | settings)
    training, validation = rows(task=task), rows(50, task, 1)
    stacked, stack_history = train_network_stack(
        networks(task, **shape or {}), task, training, validation, chosen, SEEDS
    )
    alone = networks(task, **shape or {})
    runs = [
        finetune(net, task, training, validation, chosen, seed, silent=True)
        for net, seed in zip(alone, SEEDS, strict=True)
    ]
    return stacked, stack_history, alone, runs


def assert_equal(stacked, stack_history, alone, runs):
    for k, (net, run) in enumerate(zip(alone, runs, strict=True)):
        member = stacked.member(k)
        for (name, ours), theirs in zip(member.named_parameters(), net.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9, msg=name)
        assert len(stack_history.history[k]) == len(run.history)
        assert stack_history.stopped[k] == run.stop
        for ours, theirs in zip(stack_history.history[k], run.history, strict=True):
            for name, value in ours.items():
                assert value == pytest.approx(theirs[name], rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize(
    "optimizer",
    ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "adamw", "nadam"],
)
def test_each_member_equals_the_network_trained_alone_with_its_seed(optimizer):
    assert_equal(*both_ways(optimizer=optimizer))


@pytest.mark.parametrize(
    ("task", "shape", "settings"),
    [
        ("multiclass", {}, {"dropout": (0.3, 0.0)}),
        ("regression", {"activation": ("prelu", "relu")}, {"loss": "huber"}),
        ("binary", {"hidden_sizes": ()}, {"class_weights": "balanced"}),
        ("binary", {}, {"l1": 0.5, "l2": 0.5, "schedule": "cosine", "warmup_epochs": 1}),
        ("binary", {}, {"clip_norm": 0.05, "max_norm": 0.7}),
        ("multiclass", {"activation": "gelu"}, {"clip_value": 0.01, "label_smoothing": 0.1}),
        (
            "regression",
            {"output": "exponential"},
            {"optimizer": "sgd", "learning_rate": 0.001, "keep_best_weights": False},
        ),
    ],
)
def test_members_are_equal_with_every_kind_of_setting(task, shape, settings):
    rates = settings.get("dropout", 0.0)
    assert_equal(*both_ways(task, shape | {"dropout": rates}, **settings))


def test_each_member_can_learn_from_rows_of_its_own():
    chosen = FinetuningSettings(
        epochs=30,
        batch_size=20,
        learning_rate=0.05,
        patience=3,
        dropout=0.2,
        schedule="cosine",
        max_steps=100,
    )
    own, validation = [rows(70, seed=k) for k in SEEDS], rows(50, seed=1)
    stacked, stack_history = train_network_stack(
        networks(dropout=0.2), "binary", own, validation, chosen, SEEDS
    )
    alone = networks(dropout=0.2)
    runs = [
        finetune(net, "binary", part, validation, chosen, seed, silent=True)
        for net, part, seed in zip(alone, own, SEEDS, strict=True)
    ]
    assert len({len(history) for history in stack_history.history}) > 1  # one leaves before the others
    assert_equal(stacked, stack_history, alone, runs)


@pytest.mark.parametrize("parts", [[70, 70], [70, 70, 60]])
def test_rows_of_their_own_are_equally_many_for_each_member(parts):
    with pytest.raises(TrainingError, match="a stack of 3 networks takes rows for all, or equally many"):
        train_network_stack(
            networks(), "binary", [rows(n) for n in parts], rows(50), FinetuningSettings(), SEEDS
        )


def test_masks_are_each_members_own():
    assert_equal(*both_ways(shape={"dropout": 0.4, "input_dropout": 0.2}))


def test_each_member_stops_on_its_own_and_keeps_its_best_weights():
    stacked, stack_history, alone, runs = both_ways(epochs=60, learning_rate=0.05, patience=3)
    lengths = [len(history) for history in stack_history.history]
    assert len(set(lengths)) > 1
    assert max(lengths) < 60
    assert_equal(stacked, stack_history, alone, runs)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ({"normalization": "layer"}, {"dropout": 0.2}),
        ({"normalization": "batch"}, {}),
        ({"normalization": "batch"}, {"optimizer": "adamw", "patience": 2, "epochs": 12}),
        ({"dropconnect": 0.3}, {"dropout": 0.2}),
        ({"dropconnect": 0.3, "dropconnect_masks": "batch"}, {}),
        ({}, {"max_steps": 7, "schedule": "cosine"}),
        ({}, {"max_steps": 10, "epochs": 9}),
    ],
)
def test_members_are_equal_with_what_stands_between_layers_and_with_budgets(shape, settings):
    assert_equal(*both_ways(shape=shape | {"dropout": settings.get("dropout", 0.0)}, **settings))


def test_running_statistics_are_each_members_own():
    stacked, _, alone, _ = both_ways(shape={"normalization": "batch"})
    for k, net in enumerate(alone):
        ours = stacked.member(k).normalizations[0]
        torch.testing.assert_close(ours.running_mean, net.normalizations[0].running_mean)
        torch.testing.assert_close(ours.running_var, net.normalizations[0].running_var)
    x = rows(20, seed=5).inputs
    torch.testing.assert_close(stacked(x)[1], alone[1](x))


def test_each_member_has_plateaus_of_its_own():
    stacked, stack_history, alone, runs = both_ways(
        epochs=40, learning_rate=0.05, schedule="plateau", plateau_patience=2, plateau_factor=0.5
    )
    assert_equal(stacked, stack_history, alone, runs)
    without, *_ = both_ways(epochs=40, learning_rate=0.05)
    assert not torch.allclose(stacked.flat_state, without.flat_state)


def test_minutes_end_all_members_together():
    _, stack_history, _, runs = both_ways(epochs=400, max_minutes=1e-4)
    assert set(stack_history.stopped) == {runs[0].stop} == {"0.0001 minutes are over"}


def test_each_members_images_are_augmented_by_its_own_rng():
    settings = FinetuningSettings(
        epochs=2, batch_size=20, learning_rate=0.02, augmentation=AugmentationSettings(shift=0.2, noise=0.1)
    )
    training, validation = rows(), rows(40, seed=1)
    training = TensorData(torch.sigmoid(training.inputs), training.targets)
    given = {"dynamic_binarization": True, "image_shape": (2, 2)}
    stacked, _ = train_network_stack(networks(), "binary", training, validation, settings, SEEDS, **given)
    for k, (net, seed) in enumerate(zip(networks(), SEEDS, strict=True)):
        finetune(net, "binary", training, validation, settings, seed, silent=True, **given)
        for ours, theirs in zip(stacked.member(k).parameters(), net.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_fewer_bits_give_nearly_the_same_members():
    chosen = FinetuningSettings(epochs=3, batch_size=20, precision="bfloat16")
    training, validation = rows(dtype=torch.float32), rows(50, seed=1, dtype=torch.float32)
    own = [net.float() for net in networks()]
    stacked, _ = train_network_stack(own, "binary", training, validation, chosen, SEEDS)
    exact, _ = train_network_stack(
        own, "binary", training, validation, FinetuningSettings(epochs=3, batch_size=20), SEEDS
    )
    assert stacked.flat_state.dtype == torch.float32
    torch.testing.assert_close(stacked.flat_state, exact.flat_state, rtol=0, atol=0.01)
    assert not torch.equal(stacked.flat_state, exact.flat_state)


@pytest.mark.parametrize(
    ("shape", "settings", "words"),
    [
        ({"normalization": "batch"}, {"batch_size": 89}, "needs 2 rows in every batch"),
        ({}, {"augmentation": AugmentationSettings(shift=0.1)}, "these rows are a table"),
    ],
)
def test_what_does_not_fit_the_rows_is_refused(shape, settings, words):
    with pytest.raises(TrainingError, match=words):
        train_network_stack(
            networks(**shape), "binary", rows(), rows(), FinetuningSettings(**settings), SEEDS
        )


def test_a_member_answers_as_in_the_stack():
    stacked, *_ = both_ways()
    x = rows().inputs
    for k in range(3):
        torch.testing.assert_close(stacked(x)[k], stacked.member(k)(x))


DIVERGING = [{}, {"learning_rate": 1e12}, {}]


def train_regressions(points, **settings):
    training, validation = rows(task="regression"), rows(50, "regression", 1)
    chosen = FinetuningSettings(
        **{"epochs": 9, "batch_size": 20, "optimizer": "sgd", "learning_rate": 1e-3} | settings
    )
    own = networks("regression", activation="relu")
    return train_network_stack(own, "regression", training, validation, chosen, SEEDS, points)


def test_without_a_grid_a_member_that_diverges_is_an_error_that_names_it():
    with pytest.raises(TrainingError, match=r"seed \d+ diverged in epoch \d: lower finetuning.learning_rate"):
        train_regressions(None, learning_rate=1e12)


def test_a_grid_of_which_every_point_diverges_is_an_error():
    with pytest.raises(TrainingError, match=r"diverged in epoch|became nan"):
        train_regressions([{"learning_rate": 1e12}] * 3)


def test_a_point_that_diverges_leaves_the_others_as_they_are_without_it():
    members, history = train_regressions(DIVERGING)
    alone, alone_history = train_regressions(None)
    assert [bool(epoch) for epoch in history.diverged] == [False, True, False]
    assert history.stopped[1] == f"diverged in epoch {history.diverged[1]}"
    assert len(history.history[1]) == history.diverged[1] - 1
    for k in (0, 2):
        assert history.history[k] == [pytest.approx(epoch, rel=1e-9) for epoch in alone_history.history[k]]
        torch.testing.assert_close(members.flat_state[k], alone.flat_state[k])


def test_why_a_point_diverged_survives_a_resumed_run():
    def plan():
        return NetworkStackPlan(
            Members(
                MembersConfig(shape=networks("regression")[0].config, seeds=SEEDS), networks("regression")
            ),
            "regression", FinetuningSettings(), 90, None, DIVERGING, [None] * 3, may_diverge=True,
        )  # fmt: skip

    before, after = plan(), plan()
    metrics = {"validation/loss": torch.tensor([1.0, float("inf"), 2.0]), "train/loss": torch.ones(3)}
    before.on_epoch_end(Progress(name="networks", plan=before, epochs=3, n_batches=5, epoch=1), metrics)
    assert before.stack.rows == [0, 2]
    before.on_epoch_start(2)
    before.training_step(TensorData(*(torch.stack([part[:20]] * 2) for part in (
        rows(task="regression").inputs, rows(task="regression").targets))))  # fmt: skip
    after.load_state_dict(before.state_dict())
    assert after.stack_history.stopped == ["", "diverged in epoch 1", ""]
    assert after.stack_history.diverged == [0, 1, 0]
    assert after.stack_history.history == before.stack_history.history
