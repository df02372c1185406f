"""Steps that are taken from Python: by one process, or by one of several ranks on its part of each batch."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from layerwise.data import HostTensorData, SparseTensorData, TensorData
from layerwise.training.plan import TrainingError, TrainingPlan, Transform
from layerwise.training.totals import Totals
from layerwise.utils import ranks

# A rank of fewer rows a batch waits longer for the others than they save, on a CPU.
LEAST_ROWS = 250


class Steps:
    """Steps that are taken from Python, one batch after the other.

    Args:
        plan: what learns.
        rows: the training rows.
        transform: applied to each batch's inputs before the step.
    """

    def __init__(
        self, plan: TrainingPlan, rows: TensorData | SparseTensorData, transform: Transform | None
    ) -> None:
        self.plan, self.rows, self.transform = plan, rows, transform
        self.totals = Totals()

    def start_epoch(self) -> None:
        """Begin new sums."""
        self.totals = Totals()

    def ahead(self, indices: Iterator[Tensor]) -> Iterator[Tensor]:
        """Yield the numbers of each batch's rows, in the order in which they are taken."""
        return indices

    def take(self, index: Tensor) -> None:
        """Train on the rows of these numbers, (batch,) or (members, batch), and add up their losses."""
        self.totals.add(self.plan.training_step(self._batch(index)))

    def end_epoch(self) -> Totals:
        """Return the sums of the epoch's losses."""
        return self.totals

    def _batch(self, index: Tensor) -> TensorData:
        batch = self._rows(index)
        return batch if self.transform is None else batch.with_inputs(self.transform(batch.inputs))

    def _rows(self, index: Tensor) -> TensorData:
        return self.rows[index]


class HostSteps(Steps):
    """Steps on rows of the host, whose next batches are copied to the device while a step is taken.

    Args:
        plan: what learns.
        rows: the training rows, on the host.
        transform: applied to each batch's inputs before the step.
    """

    rows: HostTensorData
    _copied: TensorData

    def ahead(self, indices: Iterator[Tensor]) -> Iterator[Tensor]:
        """Yield the numbers of each batch's rows once they are on the device."""
        for index, copied in self.rows.copied_ahead(indices):
            self._copied = copied
            yield index

    def _rows(self, index: Tensor) -> TensorData:
        return self._copied


class RankedSteps(Steps):
    """Steps of one rank among several, on its own rows of each batch; all ranks end with the same network.

    Args:
        plan: what learns.
        rows: the training rows, all of them on every rank.
        transform: applied to each whole batch before the step.
        batch_size: rows of a batch, those of all ranks together.

    Raises:
        TrainingError: the plan can't be spread, or a batch is too small for it.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        rows: TensorData | SparseTensorData,
        transform: Transform | None,
        batch_size: int,
    ) -> None:
        super().__init__(plan, rows, transform)
        size = ranks.world_size()
        least = LEAST_ROWS if str(rows.device) == "cpu" else 1
        reason = plan.reason_against_ranks()
        if not reason and batch_size < least * size:
            reason = f"a batch of {batch_size} rows has fewer than {least} for each rank, which gains nothing"
        if not reason and 0 < len(rows) % batch_size < size:
            reason = (
                f"{len(rows)} rows in batches of {batch_size} leave {len(rows) % batch_size} for all ranks"
            )
        if reason:
            raise TrainingError(f"compute.ranks: {size} is not for this training: {reason}")

    def take(self, index: Tensor) -> None:
        """Train on this rank's part of the rows of these numbers, and add up their losses."""
        whole = None if self.transform is None else self._batch(index)
        with ranks.shard(len(index)) as own:
            batch = self._batch(index[own]) if whole is None else whole[own]
            self.totals.add(self.plan.training_step(batch))

    def end_epoch(self) -> Totals:
        """Return the sums of the epoch's losses over all ranks."""
        self.totals.all_reduce()
        return self.totals
