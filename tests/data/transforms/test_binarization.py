import pytest
import torch

from layerwise.data.transforms.binarization import DynamicBinarization, binarize_once


def test_binary_samples_have_the_inputs_as_their_mean_and_differ_each_time():
    binarize = DynamicBinarization(torch.Generator().manual_seed(0))
    inputs = torch.tensor([[0.0, 0.25, 0.7, 1.0]]).expand(20_000, 4)
    first, second = binarize(inputs), binarize(inputs)
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    # Five standard errors of a mean of 20,000 draws are at most 0.018.
    assert torch.allclose(first.mean(0), inputs[0], atol=0.018)
    assert first[:, 0].sum() == 0
    assert first[:, 3].all()


def test_the_same_generator_gives_the_same_samples():
    inputs = torch.rand(10, 7, generator=torch.Generator().manual_seed(1))
    draws = [DynamicBinarization(torch.Generator().manual_seed(2))(inputs) for _ in range(2)]
    assert torch.equal(*draws)


def test_rows_are_binarized_once_unless_they_are_binary_already():
    binary = torch.tensor([[0.0, 1.0]])
    assert binarize_once(binary, torch.Generator()) is binary
    drawn = binarize_once(torch.full((1000, 20), 0.25), torch.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert float(drawn.mean()) == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 20_000) ** 0.5)
