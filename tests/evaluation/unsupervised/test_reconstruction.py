import pytest
import torch
from torch.distributions import Bernoulli

from layerwise.evaluation.unsupervised import (
    reconstruction_cross_entropy,
    reconstruction_metrics,
    reconstruction_sse,
)
from layerwise.evaluation.unsupervised.reconstruction import reconstruction_mse


def pair(seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(6, 8, generator=rng), torch.rand(6, 8, generator=rng)


def test_cross_entropy_of_binary_rows_is_their_negative_log_probability():
    original, reconstruction = pair()
    binary = original.round()
    expected = -Bernoulli(reconstruction).log_prob(binary).sum(1)
    assert torch.allclose(reconstruction_cross_entropy(binary, reconstruction), expected, rtol=1e-5)


def test_cross_entropy_is_least_at_the_row_itself():
    original, reconstruction = pair()
    least = reconstruction_cross_entropy(original, original)
    assert torch.allclose(least, Bernoulli(original).entropy().sum(1), rtol=1e-5)
    assert (reconstruction_cross_entropy(original, reconstruction) > least).all()


def test_squared_errors_are_per_row_and_per_pixel():
    original, reconstruction = torch.zeros(2, 4), torch.tensor([[1.0, 1, 0, 0], [0.5, 0, 0, 0]])
    assert reconstruction_sse(original, reconstruction).tolist() == [2.0, 0.25]
    assert reconstruction_mse(original, reconstruction).tolist() == [0.5, 0.0625]


def test_metrics_are_means_over_rows():
    original, reconstruction = pair()
    found = reconstruction_metrics(original, reconstruction, bounded=True)
    assert found["reconstruction_mse"] * 8 == pytest.approx(found["reconstruction_sse"])
    assert found["reconstruction_cross_entropy"] == pytest.approx(
        float(reconstruction_cross_entropy(original, reconstruction).mean())
    )
    assert "reconstruction_cross_entropy" not in reconstruction_metrics(
        original, reconstruction, bounded=False
    )


def test_cross_entropy_refuses_standardized_columns():
    original, reconstruction = pair()
    with pytest.raises(ValueError, match="rows in"):
        reconstruction_cross_entropy(original - 1, reconstruction)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="do not fit"):
        reconstruction_sse(torch.zeros(2, 3), torch.zeros(2, 4))
