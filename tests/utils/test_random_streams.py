import hashlib

import numpy as np
import pytest
import torch

from layerwise.utils import derive_seed, numpy_rng, torch_rng


def samples(*names, n=20_000):
    return torch.rand(n, generator=torch_rng(*names), dtype=torch.float64).numpy()


def test_a_stream_is_the_same_each_time_and_apart_from_the_global_one():
    torch.manual_seed(1)
    first = samples(0, "order")
    torch.manual_seed(2)
    assert np.array_equal(first, samples(0, "order"))
    before = torch.get_rng_state()
    samples(0, "order")
    assert torch.equal(before, torch.get_rng_state())


def test_seeds_follow_from_the_digest_of_the_name_so_they_are_the_same_everywhere():
    digest = hashlib.sha256(b"7/pretraining/layer_1").digest()
    expected = sum(byte << (8 * k) for k, byte in enumerate(digest[:8])) >> 1
    assert derive_seed(7, "pretraining", "layer_1") == expected
    assert 0 <= expected < 2**63


@pytest.mark.parametrize("other", [(0, "dropout"), (1, "order"), (0, "order", "x"), (0,)])
def test_streams_of_other_names_and_seeds_are_independent(other):
    # Five standard errors of the correlation of independent streams.
    assert abs(np.corrcoef(samples(0, "order"), samples(*other))[0, 1]) < 5 / 20_000**0.5


def test_sampling_from_one_stream_leaves_the_others_alone():
    one, other = torch_rng(0, "a"), torch_rng(0, "b")
    torch.rand(100, generator=one)
    assert torch.equal(torch.rand(5, generator=other), torch.rand(5, generator=torch_rng(0, "b")))


def test_no_two_of_many_consumers_share_a_seed():
    seeds = {derive_seed(seed, name, k) for seed in range(20) for name in "abcde" for k in range(20)}
    assert len(seeds) == 20 * 5 * 20


def test_numpy_streams_are_stable_and_uniform():
    first = numpy_rng(3, "split").random(20_000)
    assert np.array_equal(first, numpy_rng(3, "split").random(20_000))
    assert not np.array_equal(first, numpy_rng(4, "split").random(20_000))
    # Five standard errors of a uniform mean.
    assert abs(first.mean() - 0.5) < 5 * (1 / 12 / 20_000) ** 0.5
