"""Captured steps give the bits of eager ones, and a run that goes on those of one that was not cut off."""

import pytest
import torch
from helpers import resumable_trainings
from helpers.recorded_steps import RecordedOperations, record_on_cpu
from helpers.resumable_trainings import TRAININGS, without_times

from layerwise.data import TensorData
from layerwise.training import TrainingPlan, fit, steps
from layerwise.training.callbacks import Callback
from layerwise.training.diagnostics import LayerStatistics
from layerwise.training.optim import OptimizerSettings, make_optimizer
from layerwise.utils import Compute, set_compute

# Their steps are taken from Python on a GPU too, and the log says why.
FROM_PYTHON = {"rbm tempered", "mlp by adagrad, steps and minutes"}
# On the CPU the optimizer computes with a Python number of steps, on a GPU with a tensor.
PYTHON_STEPS = {"mlp by nadam, dropconnect"}


@pytest.fixture
def recorder(monkeypatch):
    return record_on_cpu(monkeypatch)


@pytest.mark.parametrize("name", sorted(TRAININGS.keys() - PYTHON_STEPS))
def test_recorded_steps_give_the_bits_of_eager_ones(name, recorder, monkeypatch):
    recorded = without_times(TRAININGS[name]())
    assert (recorder.replays == 0) is (name in FROM_PYTHON)
    monkeypatch.setattr(steps, "can_record", lambda device: False)
    assert recorded == without_times(TRAININGS[name]())


class Counting(steps.CapturablePlan):
    """A plan whose weight is a Python number in the step; its key says so, or hides it."""

    def __init__(self, honest):
        self.honest, self.weight, self.total = honest, 0, torch.zeros(())

    def on_train_start(self, progress):
        pass

    def on_epoch_start(self, epoch):
        self.weight = epoch

    def prepare_step(self):
        return self.weight if self.honest else None

    def update(self, batch):
        self.total += self.weight * batch.inputs.sum()
        return {"loss": batch.inputs[:, 0] * self.weight}

    def generators(self):
        return []


def test_a_number_that_the_key_hides_freezes_and_one_that_it_names_does_not(recorder):
    rows = TensorData(torch.ones(8, 1))
    totals, losses = [], []
    for honest in (True, False):
        plan = Counting(honest)
        history = fit(plan, rows, epochs=3, batch_size=2, rng=torch.Generator()).history
        totals.append(float(plan.total))
        losses.append([epoch["train/loss"] for epoch in history])
    assert totals == [8 * (1 + 2 + 3), 8 * 3]
    assert losses == [[1, 2, 3], [1, 1, 1]]


def test_a_step_of_a_rate_that_is_over_is_forgotten():
    recorder, plan = RecordedOperations(), Counting(True)
    taken = steps.CapturedSteps(plan, TensorData(torch.ones(8, 1)), None, 2, recorder)
    for epoch in range(1, 5):
        plan.on_epoch_start(epoch)
        taken.start_epoch()
        for index in torch.arange(8).split(2):
            taken.take(index)
        assert len(taken._recorded) <= 2
        assert taken.totals.means() == {"loss": epoch}


class Plain(TrainingPlan):
    """A plan that only has a training step."""


class Reader(Callback):
    """What looks at each gradient."""

    reads_gradients = True


def reason_against(plan, callbacks=()):
    return steps._reason_against(plan, TensorData(torch.ones(2, 1)), callbacks)


def test_what_stands_against_a_capture_is_said():
    assert "Plain is no CapturablePlan" in reason_against(Plain())
    assert "Reader reads the gradients" in reason_against(Counting(True), [Reader()])
    assert reason_against(Counting(True)) == ""
    set_compute(Compute(capture_steps=False))
    try:
        assert "compute.capture_steps is false" in reason_against(Counting(True))
    finally:
        set_compute(Compute())


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture
def on_gpu(monkeypatch):
    """Train on the GPU, and count how often a CUDA graph is replayed."""
    monkeypatch.setattr(resumable_trainings, "device", "cuda")
    monkeypatch.setattr(LayerStatistics, "reads_gradients", False)
    replays = []
    take = steps.CudaGraphs.record

    def record(self, step):
        replay = take(self, step)
        return lambda: (replays.append(1), replay())

    monkeypatch.setattr(steps.CudaGraphs, "record", record)
    return replays


@needs_cuda
@pytest.mark.parametrize("name", sorted(TRAININGS))
def test_captured_steps_give_the_bits_of_eager_ones(name, on_gpu):
    captured = without_times(TRAININGS[name]())
    assert bool(on_gpu) is (name not in FROM_PYTHON)
    set_compute(Compute(capture_steps=False))
    try:
        assert captured == without_times(TRAININGS[name]())
    finally:
        set_compute(Compute())


@needs_cuda
@pytest.mark.parametrize(
    "name", ["sgd", "momentum", "nesterov", "rmsprop", "adadelta", "adam", "adamax", "adamw", "nadam"]
)
def test_every_optimizer_but_adagrad_can_be_captured(name):
    found = []
    for captured in (False, True):
        weight = torch.nn.Parameter(torch.ones(5, device="cuda"))
        optimizer = make_optimizer(OptimizerSettings(optimizer=name, learning_rate=0.1), [weight])

        def step(weight=weight, optimizer=optimizer):
            optimizer.zero_grad()
            (weight * torch.arange(5.0, device="cuda")).square().sum().backward()
            optimizer.step()

        recorder = steps.CudaGraphs(weight.device, [])
        recorder.warm_up(step)
        take = recorder.record(step) if captured else step
        for _ in range(4):
            take()
        found.append(weight.tolist())
    assert found[0] == found[1]
