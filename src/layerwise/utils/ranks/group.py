"""What a training step needs of the other ranks: its own rows, sums over all of them, random numbers of the batch.

Every rank holds all rows and the whole network, and the same random states. A batch is cut into consecutive parts, one
for each rank; what is random is drawn for the whole batch and cut the same way; sums over rows are added up over the
ranks. So N ranks learn what one process would have learnt, up to the order in which numbers are added. Without ranks
each function here is the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")


@dataclass
class _Group:
    """The present process among the ranks; `batch` and `own`: rows of the present batch, and which are its own."""

    rank: int = 0
    world_size: int = 1
    batch: int = 0
    own: slice | None = None


_group = _Group()


def rank() -> int:
    """Return this process's number among the ranks; 0 is the one that reports and writes."""
    return _group.rank


def world_size() -> int:
    """Return how many ranks train together; 1 outside of such a training."""
    return _group.world_size


@contextmanager
def joined(rank: int, size: int) -> Iterator[None]:
    """Train as one of several ranks meanwhile, whose process group exists already."""
    _group.rank, _group.world_size = rank, size
    try:
        yield
    finally:
        _group.rank, _group.world_size = 0, 1


@contextmanager
def shard(n: int) -> Iterator[slice]:
    """Give the rows of a batch of n that are this rank's own; within, random numbers are those of these rows.

    The parts differ by a row at most, and none is empty where n is at least `world_size()`.
    """
    first, last = (n * r // _group.world_size for r in (_group.rank, _group.rank + 1))
    _group.batch, _group.own = n, slice(first, last)
    try:
        yield slice(first, last)
    finally:
        _group.batch, _group.own = 0, None


@contextmanager
def whole_batches() -> Iterator[None]:
    """Within a step, have every rank draw and do the same meanwhile: what belongs to no row."""
    own, _group.own = _group.own, None
    try:
        yield
    finally:
        _group.own = own


def whole_batch(n: int) -> int:
    """Return the rows of the whole batch of which this rank has n."""
    return n if _group.own is None else _group.batch


def is_part() -> bool:
    """Return whether this process has a part alone of the present batch."""
    return _group.own is not None


def gradient_weight() -> float:
    """Return the part of the batch's rows that are this rank's own, which its mean gradient counts for."""
    own = _group.own
    return 1.0 if own is None else (own.stop - own.start) / _group.batch


def all_reduce(tensors: Sequence[Tensor]) -> None:
    """Add each tensor up over all ranks, in place, in one call for all of one type."""
    if _group.world_size == 1 or not tensors:
        return
    flat = torch.cat([each.reshape(-1) for each in tensors])
    dist.all_reduce(flat)
    for each, total in zip(tensors, flat.split([each.numel() for each in tensors]), strict=True):
        each.copy_(total.view(each.shape))


def gather_rows(values: Tensor) -> Tensor:
    """Return (rows, ...) of the whole batch, of values (rows, ...) of this rank's rows."""
    own = _group.own
    if own is None:
        return values
    whole = values.new_zeros(_group.batch, *values.shape[1:])
    whole[own] = values
    all_reduce([whole])
    return whole


def add_up_gradients(parameters: Iterable[Tensor]) -> None:
    """Make the gradients of this rank's mean cost those of the whole batch's; without ranks they are.

    A term of the cost that is the same on all ranks, such as a penalty on the weights, counts once.
    """
    if _group.own is None:
        return
    gradients = [each.grad for each in parameters if each.grad is not None]
    for gradient in gradients:
        gradient.mul_(gradient_weight())
    all_reduce(gradients)


def batch_mean(values: Tensor) -> Tensor:
    """Return the mean over the rows of the whole batch, (...), of values (rows, ...).

    A gradient goes to the rows of all ranks: costs of it, of each rank's own rows or the same on all, have the whole
    batch's gradient once `add_up_gradients` has counted each rank's for its rows.
    """
    mean = values.mean(0)
    if _group.own is None:
        return mean
    return _sum_over_ranks(mean * gradient_weight(), gradient_weight())


def _sum_over_ranks(values: Tensor, weight: float) -> Tensor:
    total: Tensor = _SumOverRanks.apply(values, weight)  # type: ignore[no-untyped-call]
    return total


class _SumOverRanks(torch.autograd.Function):
    """A sum over the ranks; the gradient is that of all ranks' costs, each counted for its rows."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        total = values.clone()
        all_reduce([total])
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _sum_over_ranks(gradient * ctx.weight, ctx.weight) / ctx.weight, None


def draw_rows(draw: Callable[[Sequence[int]], Tensor], shape: Sequence[int]) -> Tensor:
    """Return random numbers of this rank's rows as they would be if one process drew for the whole batch.

    Args:
        draw: draws numbers of a shape.
        shape: (rows, ...), or (k rows, ...) for k blocks of all rows one below the other.
    """
    own = _group.own
    if own is None:
        return draw(shape)
    blocks, rest = divmod(shape[0], own.stop - own.start)
    if rest:
        raise ValueError(f"{shape[0]} rows are no multiple of the {own.stop - own.start} of this rank")
    whole = draw((blocks * _group.batch, *shape[1:]))
    return whole.unflatten(0, (blocks, _group.batch))[:, own].flatten(0, 1)


def uniform_(out: Tensor, rng: torch.Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Fill a tensor (rows, ...) with uniform numbers of this rank's rows; return it."""
    if _group.own is None:
        return out.uniform_(low, high, generator=rng)
    return out.copy_(draw_rows(lambda s: out.new_empty(s).uniform_(low, high, generator=rng), out.shape))


def normal_(out: Tensor, rng: torch.Generator, std: float = 1.0) -> Tensor:
    """Fill a tensor (rows, ...) with normal numbers of this rank's rows; return it."""
    if _group.own is None:
        return out.normal_(0, std, generator=rng)
    return out.copy_(draw_rows(lambda s: out.new_empty(s).normal_(0, std, generator=rng), out.shape))


def from_rank_0(value: T) -> T:
    """Return what rank 0 gives here; every rank has to come by."""
    if _group.world_size == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def agree(flag: bool) -> bool:
    """Return what rank 0 says, at less cost than `from_rank_0`: what a clock decides, all decide alike."""
    if _group.world_size == 1:
        return flag
    decision = torch.tensor(flag)
    dist.broadcast(decision, src=0)
    return bool(decision)
