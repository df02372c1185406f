import pytest
import torch

from layerwise.data import ColumnBlock
from layerwise.data.transforms import CORRUPTIONS, Corruption, column_groups


def corruption(kind, level, seed=0, groups=None):
    return Corruption(kind, level, torch.Generator().manual_seed(seed), groups)


def rows(n=400, d=50):
    return 0.1 + 0.8 * torch.rand(n, d, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("kind", ["masking", "salt_and_pepper", "swap"])
def test_the_fraction_of_corrupted_columns_is_the_level(kind):
    x = rows()
    fraction = float((corruption(kind, 0.3)(x) != x).float().mean())
    assert fraction == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / x.numel()) ** 0.5)


@pytest.mark.parametrize("kind", sorted(set(CORRUPTIONS) - {"none"}))
def test_noise_is_sampled_anew_for_every_batch_and_leaves_the_row_as_it_is(kind):
    x = rows()
    before, noise = x.clone(), corruption(kind, 0.2)
    first, second = noise(x), noise(x)
    assert not torch.equal(first, second)
    assert torch.equal(x, before)
    assert torch.equal(corruption(kind, 0.2)(x), first)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_level_of_0_is_no_noise(kind):
    assert torch.equal(corruption(kind, 0.0)(rows()), rows())


def test_masked_columns_are_0():
    x = rows()
    found = corruption("masking", 0.4)(x)
    assert set(found[found != x].tolist()) == {0.0}


def test_salt_and_pepper_are_equally_frequent():
    x = rows()
    found = corruption("salt_and_pepper", 0.4)(x)
    corrupted = found[found != x]
    assert set(corrupted.tolist()) == {0.0, 1.0}
    assert float(corrupted.mean()) == pytest.approx(0.5, abs=4 * 0.5 / len(corrupted) ** 0.5)


def test_gaussian_noise_has_the_standard_deviation():
    x = rows()
    assert float((corruption("gaussian", 0.3)(x) - x).std()) == pytest.approx(0.3, rel=0.03)


def test_swapped_values_come_from_other_rows_of_the_same_column():
    x = torch.arange(30).reshape(10, 3).float()
    found = corruption("swap", 0.5)(x)
    assert (found % 3 == x % 3).all()
    assert bool((found != x).any())
    everything = corruption("swap", 1.0)(x)
    assert (everything != x).all()


def test_dummies_of_one_category_are_corrupted_together_and_pixels_are_not():
    blocks = [
        ColumnBlock(name="number", kind="real", start=0, stop=1),
        ColumnBlock(name="colour", kind="categorical", start=1, stop=4, categories=("r", "g", "b")),
        ColumnBlock(name="pixels", kind="binary", start=4, stop=6),
    ]
    groups = column_groups(blocks)
    assert groups.tolist() == [0, 1, 1, 1, 2, 3]
    x = torch.zeros(300, 6)
    x[:, 0], x[:, 4:] = 1, 1
    x[torch.arange(300), 1 + torch.arange(300) % 3] = 1
    for kind in ("masking", "swap"):
        found = corruption(kind, 0.5, groups=groups)(x)
        assert set(found[:, 1:4].sum(1).tolist()) <= {0.0, 1.0}
    swapped = corruption("swap", 0.5, groups=groups)(x)
    assert (swapped[:, 1:4].sum(1) == 1).all()
    masked = corruption("masking", 0.5, groups=groups)(x)
    assert bool((masked[:, 4] != masked[:, 5]).any())


def test_what_comes_from_one_raw_column_is_corrupted_together():
    blocks = [
        ColumnBlock(name="when_days", kind="real", start=0, stop=1, raw="when"),
        ColumnBlock(name="other", kind="real", start=1, stop=2),
        ColumnBlock(name="when_month_sin", kind="real", start=2, stop=3, raw="when"),
    ]
    groups = column_groups(blocks)
    assert groups.tolist() == [0, 1, 0]
    found = corruption("masking", 0.5, groups=groups)(torch.ones(200, 3))
    assert torch.equal(found[:, 0], found[:, 2])
    assert bool((found[:, 0] != found[:, 1]).any())


def test_ratings_of_the_same_name_are_not_one_group():
    blocks = [
        ColumnBlock(name="film", kind="categorical", start=2 * k, stop=2 * k + 2, categories=("1", "2"))
        for k in range(2)
    ]
    assert column_groups(blocks).tolist() == [0, 0, 1, 1]


def test_a_single_row_has_no_other_to_swap_with():
    x = rows(1)
    assert torch.equal(corruption("swap", 1.0)(x), x)


def test_a_state_restores_the_same_noise():
    noise, x = corruption("masking", 0.3), rows()
    noise(x)
    state = noise.state_dict()
    first = noise(x)
    noise.load_state_dict(state)
    assert torch.equal(noise(x), first)
