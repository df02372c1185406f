import pytest
import torch
from helpers.seeded import seeded

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.training import TrainingError, TrainingPlan, evaluate, fit, loop
from layerwise.training.callbacks import Callback
from layerwise.training.loop import batches
from layerwise.utils import UserError
from layerwise.utils.run_context import add_listener, remove_listener


class Recorder(TrainingPlan):
    """A training plan that learns the sum of what it saw and reports its inputs as losses."""

    def __init__(self, poison=None):
        self.poison = poison
        self.total = torch.zeros(1, dtype=torch.float64)
        self.epochs, self.seen = [], []

    def on_train_start(self, progress):
        self.planned = (progress.epochs, progress.n_batches)

    def on_epoch_start(self, epoch):
        self.epochs.append(epoch)
        self.seen.append([])

    def training_step(self, batch):
        self.seen[-1].append(batch)
        self.total += batch.inputs.sum()
        loss = batch.inputs[:, 0].double().clone()
        if self.poison is not None and len(self.seen) == self.poison[0]:
            loss[-1] = self.poison[1]
        return {"loss": loss, "square": loss.square()}

    def validation_step(self, batch):
        return {"loss": batch.inputs[:, 0].double() * self.total}

    def state_dict(self):
        return {"total": self.total.clone()}

    def load_state_dict(self, state):
        self.total.copy_(state["total"])


class EventRecorder(Callback):
    """Write every event down."""

    def __init__(self):
        self.events, self.metrics = [], []

    def on_train_start(self, progress):
        self.events.append("train begins")

    def on_epoch_start(self, progress):
        self.events.append(f"epoch {progress.epoch} begins")

    def on_batch_end(self, progress):
        self.events.append(f"batch {progress.batch}")

    def on_epoch_end(self, progress, metrics):
        self.events.append(f"epoch {progress.epoch} ends")
        self.metrics.append(dict(metrics))

    def on_train_end(self, progress):
        self.events.append("train ends")


def rows(n=7):
    inputs = torch.arange(2.0 * n).view(n, 2) + 1
    return TensorData(inputs, torch.arange(n))


def order(plan, epoch):
    return torch.cat([batch.targets for batch in plan.seen[epoch]]).tolist()


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10])
def test_batches_hold_every_row_once(batch_size):
    found = list(batches(10, batch_size))
    seen = torch.cat([torch.arange(10)[index] for index in found])
    assert seen.tolist() == list(range(10))
    sizes = [len(torch.arange(10)[index]) for index in found]
    assert sizes == [batch_size] * (10 // batch_size) + [10 % batch_size] * (10 % batch_size > 0)


def test_averages_of_an_epoch_are_exact_with_a_short_last_batch():
    progress = fit(Recorder(), rows(), epochs=3, batch_size=3, rng=seeded(), validation=rows(4))
    losses = rows().inputs[:, 0].double()
    for entry in progress.history:
        assert entry["train/loss"] == pytest.approx(float(losses.mean()), rel=1e-15)
        assert entry["train/square"] == pytest.approx(float(losses.square().mean()), rel=1e-15)
    total = float(rows().inputs.sum())
    expected = [float(rows(4).inputs[:, 0].mean()) * total * epoch for epoch in (1, 2, 3)]
    assert [entry["validation/loss"] for entry in progress.history] == pytest.approx(expected, rel=1e-15)
    assert [entry["epoch"] for entry in progress.history] == [1, 2, 3]
    assert progress.seconds == pytest.approx(sum(entry["seconds"] for entry in progress.history))


class RecordingListener:
    """Keeps the names and the steps of what is reported."""

    def __init__(self):
        self.names = []

    def log_metrics(self, metrics, step):
        self.names.append((sorted(metrics), step))


@pytest.mark.parametrize(
    ("options", "below"),
    [({}, "layer 1/"), ({"prefix": "pretraining/layer_1"}, "pretraining/layer_1/"), ({"prefix": ""}, "")],
)
def test_each_epoch_is_reported_below_the_name_or_the_prefix(options, below):
    listener = RecordingListener()
    add_listener(listener)
    try:
        fit(Recorder(), rows(), epochs=2, batch_size=4, rng=seeded(), name="layer 1", **options)
        fit(Recorder(), rows(), epochs=2, batch_size=4, rng=seeded(), name="second", quiet=True)
    finally:
        remove_listener(listener)
    names = [f"{below}train/loss", f"{below}train/square"]
    assert listener.names == [(names, 1), (names, 2)]


def test_a_bar_shows_the_monitored_metric_unless_the_training_is_quiet(monkeypatch):
    shown = []

    class Bar(Callback):
        def __init__(self, label, metric):
            shown.append((label, metric))

    monkeypatch.setattr(loop, "ProgressBar", Bar)
    for quiet in (False, True):
        fit(
            Recorder(),
            rows(),
            epochs=1,
            batch_size=4,
            rng=seeded(),
            name="rbm",
            monitor="train/square",
            quiet=quiet,
        )
    assert shown == [("rbm", "train/square")]


def test_the_order_of_rows_depends_on_the_rng_alone():
    seen = []
    for k, seed in enumerate((1, 1, 2)):
        torch.manual_seed(k)
        plan = Recorder()
        fit(plan, rows(20), epochs=2, batch_size=6, rng=seeded(seed))
        seen.append([order(plan, 0), order(plan, 1)])
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]
    assert seen[0][0] != seen[0][1]
    assert sorted(seen[0][0]) == sorted(seen[0][1]) == list(range(20))


def test_targets_stay_with_their_inputs():
    plan = Recorder()
    fit(plan, rows(20), epochs=1, batch_size=6, rng=seeded())
    for batch in plan.seen[0]:
        assert torch.equal(batch.inputs[:, 0], 2.0 * batch.targets + 1)


def test_a_transform_sees_every_batch_and_never_the_validation_rows():
    plan, given = Recorder(), rows()
    before = given.inputs.clone()
    progress = fit(
        plan, given, epochs=1, batch_size=3, rng=seeded(), validation=rows(), transform=lambda x: -x
    )
    losses = given.inputs[:, 0].double()
    assert progress.history[0]["train/loss"] == pytest.approx(-float(losses.mean()))
    assert progress.history[0]["validation/loss"] == pytest.approx(float(-losses.mean() * before.sum()))
    assert torch.equal(given.inputs, before)
    assert order(plan, 0) != list(range(7))


def test_events_come_in_order():
    recorder, inert = EventRecorder(), Callback()
    plan = Recorder()
    fit(
        plan,
        rows(),
        epochs=2,
        batch_size=4,
        rng=seeded(),
        callbacks=[inert, recorder],
        validation=rows(2),
    )
    epoch = ["epoch {} begins", "batch 1", "batch 2", "epoch {} ends"]
    expected = [event.format(k) for k in (1, 2) for event in epoch]
    assert recorder.events == ["train begins", *expected, "train ends"]
    assert plan.planned == (2, 2)
    assert plan.epochs == [1, 2]
    assert recorder.metrics[0].keys() == {"train/loss", "train/square", "validation/loss"}


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_training_with_layer_epoch_and_remedy(poison):
    recorder, plan = EventRecorder(), Recorder(poison=(2, poison))
    evaluated = []
    plan.validation_step = lambda batch: evaluated.append(len(plan.seen)) or {"loss": batch.inputs[:, 0]}
    with pytest.raises(TrainingError, match=r"layer 2 of 3: train/loss became .* in epoch 2.*learning rate"):
        fit(
            plan,
            rows(),
            epochs=5,
            batch_size=4,
            rng=seeded(),
            validation=rows(3),
            callbacks=[recorder],
            name="layer 2 of 3",
        )
    # Nothing is evaluated, reported or kept of the broken epoch, but callbacks can put things in order.
    assert evaluated == [1]
    assert recorder.events[-3:] == ["batch 1", "batch 2", "train ends"]
    assert len(recorder.metrics) == 1
    assert issubclass(TrainingError, UserError)


def test_an_update_that_breaks_the_network_in_the_last_batch_is_found_too():
    class Breaks(Recorder):
        def training_step(self, batch):
            losses = super().training_step(batch)
            self.total += float("nan")
            return losses

    recorder = EventRecorder()
    with pytest.raises(TrainingError, match="validation/loss became nan in epoch 1"):
        fit(
            Breaks(),
            rows(),
            epochs=1,
            batch_size=4,
            rng=seeded(),
            validation=rows(3),
            callbacks=[recorder],
        )
    assert recorder.metrics == []


def test_a_batch_larger_than_the_rows_is_refused_before_anything_runs():
    recorder, plan = EventRecorder(), Recorder()
    with pytest.raises(TrainingError, match="layer 1: a batch of 8 rows is larger than the 7 training rows"):
        fit(plan, rows(), epochs=1, batch_size=8, rng=seeded(), callbacks=[recorder], name="layer 1")
    assert recorder.events == []
    assert plan.epochs == []


def test_a_callback_can_stop_after_an_epoch():
    class Stop(Callback):
        def on_epoch_end(self, progress, metrics):
            if progress.epoch == 2:
                progress.stop = "enough"

    progress = fit(Recorder(), rows(), epochs=9, batch_size=4, rng=seeded(), callbacks=[Stop()])
    assert (progress.epoch, progress.stop, len(progress.history)) == (2, "enough", 2)


def test_a_callback_can_stop_within_an_epoch():
    class Stop(Callback):
        def on_batch_end(self, progress):
            progress.stop = "enough"

    plan, recorder = Recorder(), EventRecorder()
    progress = fit(plan, rows(), epochs=9, batch_size=2, rng=seeded(), callbacks=[Stop(), recorder])
    assert (progress.epoch, progress.batch) == (1, 1)
    assert recorder.events == ["train begins", "epoch 1 begins", "batch 1", "epoch 1 ends", "train ends"]
    first = float(plan.seen[0][0].inputs[:, 0].mean())
    assert progress.history[0]["train/loss"] == pytest.approx(first)


def test_training_ends_in_order_when_a_step_fails():
    class Fails(Recorder):
        def training_step(self, batch):
            raise KeyboardInterrupt

    recorder = EventRecorder()
    with pytest.raises(KeyboardInterrupt):
        fit(Fails(), rows(), epochs=2, batch_size=4, rng=seeded(), callbacks=[recorder])
    assert recorder.events == ["train begins", "epoch 1 begins", "train ends"]


def test_an_interrupted_run_goes_on_as_if_it_had_not_been():
    whole = Recorder()
    expected = fit(whole, rows(), epochs=5, batch_size=3, rng=seeded(), validation=rows(2))
    rng, first, second = seeded(), Recorder(), Recorder()
    half = fit(first, rows(), epochs=2, batch_size=3, rng=rng, validation=rows(2))
    second.load_state_dict(first.state_dict())
    found = fit(second, rows(), epochs=5, batch_size=3, rng=rng, validation=rows(2), start=half)
    drop = {"seconds"}
    assert [{k: v for k, v in e.items() if k not in drop} for e in found.history] == [
        {k: v for k, v in e.items() if k not in drop} for e in expected.history
    ]
    assert [order(second, k) for k in range(3)] == [order(whole, k) for k in (2, 3, 4)]
    assert (found.epoch, found.epochs, found.n_batches, found.plan) == (5, 5, 3, second)


@pytest.mark.parametrize("batch_size", [1, 4, 1000])
def test_evaluation_is_the_exact_mean_whatever_the_batches(batch_size):
    plan = Recorder()
    plan.total += 2
    found = evaluate(plan, rows(), batch_size)
    assert found == {"loss": pytest.approx(2 * float(rows().inputs[:, 0].mean()), rel=1e-15)}


def test_evaluation_builds_no_graph():
    class Graph(Recorder):
        def validation_step(self, batch):
            self.graph = torch.is_grad_enabled()
            return super().validation_step(batch)

    plan = Graph()
    evaluate(plan, rows())
    assert not plan.graph


def test_progress_starts_at_nothing():
    progress = Progress("network", Recorder(), 3, 2)
    assert (progress.epoch, progress.batch, progress.stop, progress.history) == (0, 0, "", [])


class TwoMembers(Recorder):
    """Each of two members reads the rows in an order of its own; the second one's losses are 10 more."""

    def epoch_order(self, n_rows):
        return torch.stack([torch.arange(n_rows), torch.arange(n_rows).flip(0)])

    def training_step(self, batch):
        self.seen[-1].append(batch)
        return {"loss": batch.inputs[..., 0] + torch.tensor([[0.0], [10.0]])}

    def validation_step(self, batch):
        return {"loss": batch.inputs[:, 0] * torch.tensor([[1.0], [float("nan")]])}

    def on_epoch_end(self, progress, metrics):
        self.metrics = metrics


def test_members_have_orders_and_means_of_their_own():
    inputs = torch.arange(5.0)[:, None]
    plan, rng = TwoMembers(), seeded()
    before = rng.get_state()
    progress = fit(
        plan,
        TensorData(inputs, torch.arange(5)),
        epochs=1,
        batch_size=2,
        rng=rng,
        validation=TensorData(inputs),
    )
    assert [tuple(batch.inputs.shape) for batch in plan.seen[0]] == [(2, 2, 1), (2, 2, 1), (2, 1, 1)]
    assert [batch.targets.tolist() for batch in plan.seen[0]] == [
        [[0, 1], [4, 3]],
        [[2, 3], [2, 1]],
        [[4], [0]],
    ]
    assert plan.metrics["train/loss"].tolist() == [2, 12]
    assert progress.history[0]["train/loss"] == 7
    assert progress.history[0]["validation/loss"] == 2  # of the member whose loss is finite
    assert torch.equal(rng.get_state(), before)
