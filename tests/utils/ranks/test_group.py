"""Parts of a batch, and random numbers of the whole batch; the sums are tested with two processes."""

import operator

import pytest
import torch

from layerwise.utils import ranks, run_context
from layerwise.utils.ranks import in_ranks, is_spread
from layerwise.utils.ranks.launch import choose_backend


def rng():
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("n", [3, 7, 100])
def test_the_parts_of_a_batch_are_all_of_it_and_none_is_empty(n):
    parts = []
    for rank in range(3):
        with ranks.joined(rank, 3), ranks.shard(n) as own:
            parts.append(torch.arange(n)[own])
            assert ranks.whole_batch(len(parts[-1])) == n
            assert ranks.gradient_weight() == len(parts[-1]) / n
    assert torch.equal(torch.cat(parts), torch.arange(n))
    assert min(map(len, parts)) >= n // 3


DRAWS = {
    "uniform": lambda n: ranks.uniform_(torch.empty(n, 5), rng(), -1, 1),
    "normal": lambda n: ranks.normal_(torch.empty(n, 5), rng(), 0.5),
    "whole numbers": lambda n: ranks.draw_rows(lambda s: torch.randint(9, s, generator=rng()), (n, 2)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_each_rank_draws_the_numbers_that_its_rows_have_in_one_process(draw):
    whole = draw(7)
    for rank in range(3):
        with ranks.joined(rank, 3), ranks.shard(7) as own:
            assert torch.equal(draw(own.stop - own.start), whole[own])


def test_blocks_of_all_rows_are_cut_each():
    whole = DRAWS["uniform"](14).unflatten(0, (2, 7))
    with ranks.joined(1, 3), ranks.shard(7) as own:
        n = own.stop - own.start
        assert torch.equal(DRAWS["uniform"](2 * n), whole[:, own].flatten(0, 1))
        with pytest.raises(ValueError, match="no multiple"):
            DRAWS["uniform"](2 * n + 1)


def test_without_ranks_everything_is_as_it_is():
    values = torch.rand(6, 2, generator=rng())
    before = values.clone()
    ranks.all_reduce([values])
    assert torch.equal(values, before)
    assert torch.equal(ranks.batch_mean(values), values.mean(0))
    assert torch.equal(ranks.uniform_(torch.empty(4), rng()), torch.rand(4, generator=rng()))
    assert (ranks.rank(), ranks.world_size(), ranks.gradient_weight(), ranks.agree(True)) == (0, 1, 1.0, True)
    assert ranks.from_rank_0(values) is values


def test_one_rank_calls_a_training_as_it_is_and_its_name_stays():
    called = in_ranks(operator.itemgetter(0))
    assert called is not None
    assert is_spread(called)
    assert not is_spread(operator.itemgetter(0))
    assert called("ab") == "a"
    assert run_context.compute().ranks == 1


@pytest.mark.parametrize(
    ("gpus", "backend", "device"), [(2, "cpu:gloo,cuda:nccl", [1]), (1, "gloo", []), (0, "gloo", [])]
)
def test_each_rank_has_a_gpu_and_nccl_or_all_have_the_cpu_and_gloo(gpus, backend, device, monkeypatch):
    chosen = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert choose_backend(1, 2) == backend
    assert chosen == device
