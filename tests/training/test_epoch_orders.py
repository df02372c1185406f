"""The order of an epoch's rows: each comes once, and those of files come in blocks."""

import pytest
import torch

from layerwise.data import TensorData
from layerwise.training import epoch_orders
from layerwise.training.epoch_orders import block_orders, epoch_batches
from layerwise.training.plan import TrainingPlan
from layerwise.utils import Compute, set_compute


@pytest.fixture
def in_files():
    """Rows stay in files, and 1,000 are many."""
    patch = pytest.MonkeyPatch()
    patch.setattr(epoch_orders, "SHUFFLED_IN_BLOCKS", 1000)
    set_compute(Compute(out_of_core=True))
    yield
    set_compute(Compute())
    patch.undo()


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("n", "batch", "block", "window"), [(1000, 7, 10, 5), (999, 100, 64, 3), (5, 2, 10, 4)]
)
def test_each_row_comes_once_and_each_batch_but_the_last_is_full(n, batch, block, window):
    parts = list(block_orders(n, batch, rng(), block, window))
    assert torch.cat(parts).sort().values.equal(torch.arange(n))
    batches = [len(b) for part in parts for b in part.split(batch)]
    assert batches[:-1] == [batch] * (len(batches) - 1)


def test_rows_of_a_block_come_within_a_window():
    order = torch.cat(list(block_orders(10_000, 10, rng(), 10, 20)))
    places = torch.empty_like(order)
    places[order] = torch.arange(10_000)
    spread = places.reshape(-1, 10)
    assert int((spread.max(1).values - spread.min(1).values).max()) < 2 * 10 * 20
    # Blocks themselves are anywhere, and the first rows of the file are not the first ones of the epoch.
    assert int(places[:100].float().std()) > 1000
    assert not order[:200].sort().values.equal(torch.arange(200))


def test_within_a_window_each_place_is_as_likely():
    counts = torch.zeros(6, 6)
    for seed in range(3000):
        order = torch.cat(list(block_orders(6, 6, rng(seed), 2, 3)))
        counts[order, torch.arange(6)] += 1
    expected = 3000 / 6
    # 36 cells of a sum of squares over the expected, about 25 degrees of freedom: below 53 but once in a thousand.
    assert float(((counts - expected) ** 2 / expected).sum()) < 53


def test_an_order_follows_from_the_seed_and_changes_with_each_epoch():
    one, other, same = rng(1), rng(2), rng(1)
    first, second = (torch.cat(list(block_orders(500, 10, one, 10, 4))) for _ in range(2))
    assert not first.equal(second)
    assert not first.equal(torch.cat(list(block_orders(500, 10, other, 10, 4))))
    assert first.equal(torch.cat(list(block_orders(500, 10, same, 10, 4))))


class Plan(TrainingPlan):
    """A plan that learns nothing."""


def test_rows_in_memory_and_few_rows_in_files_have_a_uniform_permutation(in_files):
    few, many = TensorData(torch.zeros(900, 1)), TensorData(torch.zeros(1200, 1))
    found = torch.cat(list(epoch_batches(Plan(), few, 32, rng())))
    assert found.equal(torch.randperm(900, generator=rng()))
    blocks = torch.cat(list(epoch_batches(Plan(), many, 32, rng())))
    assert blocks.equal(torch.cat(list(block_orders(1200, 32, rng()))))
    set_compute(Compute())
    found = torch.cat(list(epoch_batches(Plan(), many, 32, rng())))
    assert found.equal(torch.randperm(1200, generator=rng()))
