"""How the loop takes its steps: each from Python, or captured once and repeated by the GPU alone.

The step of a small network is a few dozen kernels of some microseconds each, and Python takes longer to start them than
a GPU to run them. A CUDA graph holds all kernels of a step and starts them at once; its inputs are the numbers of the
batch's rows, which are copied into the same tensor before each replay. Random numbers go on from replay to replay as
they would from step to step, so that captured and eager steps give the same bits, and so does a run that goes on.

What a step does by Python (counting batches, a schedule, a branch on a setting) happens once, at the capture. A
`CapturablePlan` therefore does it in `prepare_step`, which stands outside, and says by a key which steps are alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from layerwise.data import HostTensorData, SparseTensorData, TensorData
from layerwise.training.callbacks import Callback
from layerwise.training.eager_steps import HostSteps, RankedSteps, Steps
from layerwise.training.plan import CapturablePlan, TrainingPlan, Transform
from layerwise.training.totals import Totals
from layerwise.utils import captures_steps, ranks

log = logging.getLogger(__name__)


class Recorder(Protocol):
    """What can record a step and repeat it."""

    def warm_up(self, step: Callable[[], None]) -> None:
        """Take a step from Python, where it will be recorded afterwards."""

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        """Record a step without taking it; return what takes it, each time on what the same tensors then hold."""


class CudaGraphs:
    """Record steps as CUDA graphs.

    Args:
        device: a GPU.
        rngs: every random generator that steps draw from.
    """

    def __init__(self, device: torch.device, rngs: Iterable[torch.Generator]) -> None:
        self.rngs = [rng for rng in rngs if rng.device.type == "cuda"]
        # Capturing is not allowed on the default stream; what a first step makes belongs to the stream of the others.
        self.stream = torch.cuda.Stream(device)
        # Steps are taken one after the other, so that all graphs may use the memory of the last one.
        self.last: torch.cuda.CUDAGraph | None = None

    def warm_up(self, step: Callable[[], None]) -> None:
        """Take a step on the stream of the captures."""
        present = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(present)
        with torch.cuda.stream(self.stream):
            step()
        present.wait_stream(self.stream)

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        """Capture a step."""
        graph = torch.cuda.CUDAGraph()
        for rng in self.rngs:
            graph.register_generator_state(rng)
        # torch.cuda.graph would also collect garbage and give memory back, which takes longer than the capture.
        torch.cuda.synchronize(self.stream.device)
        with torch.cuda.stream(self.stream):
            graph.capture_begin(pool=None if self.last is None else self.last.pool())
            try:
                step()
            finally:
                graph.capture_end()
        # A capture begins by setting the generators' numbers on its own stream. A replay sets them again, on the
        # present one: not before that is done, or it would draw other numbers.
        torch.cuda.current_stream(self.stream.device).wait_stream(self.stream)
        self.last = graph
        return graph.replay


class CapturedSteps(Steps):
    """Steps that are recorded, one for each key of the plan, and repeated.

    The first step of a key is taken from Python, since it makes what is made once (buffers, an optimizer's moments);
    the second one is recorded. A batch of another size, the short last one, is taken from Python.

    Args:
        plan: what learns.
        rows: the training rows, on the device.
        transform: applied to each batch's inputs before the step.
        batch_size: of the steps that are recorded.
        recorder: what records them.
    """

    plan: CapturablePlan

    def __init__(
        self,
        plan: CapturablePlan,
        rows: TensorData,
        transform: Transform | None,
        batch_size: int,
        recorder: Recorder,
    ) -> None:
        super().__init__(plan, rows, transform)
        self.batch_size, self.recorder = batch_size, recorder
        self.index: Tensor | None = None
        self._warm: set[Hashable] = set()
        self._recorded: dict[Hashable, tuple[Callable[[], None], dict[str, int]]] = {}
        self._used: set[Hashable] = set()

    def start_epoch(self) -> None:
        """Set the sums to zero in place, and forget the steps that the last epoch did not take: its rate is over."""
        for total in self.totals.sums.values():
            total.zero_()
        self.totals.counts = dict.fromkeys(self.totals.counts, 0)
        self._recorded = {key: found for key, found in self._recorded.items() if key in self._used}
        self._warm &= self._used
        self._used = set()

    def take(self, index: Tensor) -> None:
        """Repeat the recorded step on the rows of these numbers, (batch,) or (members, batch)."""
        if index.shape[-1] != self.batch_size:
            super().take(index)
            return
        if self.index is None or self.index.shape != index.shape:  # members of a stack have left
            self.index, self._recorded, self._warm = index.clone(), {}, set()
            self.totals = Totals()
        key = self.plan.prepare_step()
        self._used.add(key)
        self.index.copy_(index)
        if key not in self._warm:
            self._warm.add(key)
            self.recorder.warm_up(self._step)
            return
        if key not in self._recorded:
            before = dict(self.totals.counts)
            replay = self.recorder.record(self._step)
            added = {name: n - before.get(name, 0) for name, n in self.totals.counts.items()}
            self.totals.counts = before
            self._recorded[key] = replay, {name: n for name, n in added.items() if n}
        replay, added = self._recorded[key]
        replay()
        for name, n in added.items():
            self.totals.counts[name] += n

    def _step(self) -> None:
        assert self.index is not None
        self.totals.add(self.plan.update(self._batch(self.index)))


def make_steps(
    plan: TrainingPlan,
    rows: TensorData | SparseTensorData,
    transform: Transform | None,
    batch_size: int,
    callbacks: Sequence[Callback],
) -> Steps:
    """Return steps on this rank's rows among several; captured ones where a GPU can; else those from Python.

    Raises:
        TrainingError: the plan, its rows or its batches can't be spread over ranks.
    """
    if ranks.world_size() > 1:
        return RankedSteps(plan, rows, transform, batch_size)
    device = torch.device(rows.device)
    if isinstance(rows, HostTensorData):
        return HostSteps(plan, rows, transform)
    if not can_record(device):
        return Steps(plan, rows, transform)
    reason = _reason_against(plan, rows, callbacks)
    if reason or not isinstance(plan, CapturablePlan) or not isinstance(rows, TensorData):
        log.info("The steps are taken from Python, one by one: %s", reason)
        return Steps(plan, rows, transform)
    rngs = [*plan.generators(), *getattr(transform, "rngs", ())]
    return CapturedSteps(plan, rows, transform, batch_size, make_recorder(device, rngs))


def can_record(device: torch.device) -> bool:
    """Return whether steps can be recorded on a device: CUDA graphs are what can."""
    return device.type == "cuda"


def make_recorder(device: torch.device, rngs: Sequence[torch.Generator]) -> Recorder:
    """Return what records steps on a device."""
    return CudaGraphs(device, rngs)


def _reason_against(
    plan: TrainingPlan, rows: TensorData | SparseTensorData, callbacks: Sequence[Callback]
) -> str:
    """Return why steps cannot be captured; empty when they can."""
    if not captures_steps():
        return "compute.capture_steps is false"
    if not isinstance(plan, CapturablePlan):
        return f"{type(plan).__name__} is no CapturablePlan"
    if not isinstance(rows, TensorData):
        return "sparse rows are made dense on the CPU"
    readers = [type(each).__name__ for each in callbacks if each.reads_gradients]
    if readers:
        return f"{readers[0]} reads the gradients of single steps"
    return plan.reason_against_capture()
