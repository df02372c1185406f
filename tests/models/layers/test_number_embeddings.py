"""Embeddings of numbers against loops over rows, columns and bins."""

import math
from itertools import pairwise

import pytest
import torch
from helpers.seeded import seeded as rng

from layerwise.models import MLP, MLPConfig, NumberEmbeddingConfig, load_network, quantile_edges, save_network
from layerwise.models.layers import PeriodicEmbedding, PiecewiseLinearEmbedding, squash

EDGES = ([-1.0, 0.0, 2.0], [0.5, 0.75, 1.0, 4.0])


@pytest.fixture
def x():
    return 2 * torch.randn(20, 4, generator=rng(), dtype=torch.float64)


def piecewise():
    config = NumberEmbeddingConfig(name="piecewise_linear", columns=(0, 2), bins=(2, 3))
    embedding = PiecewiseLinearEmbedding(config).double()
    embedding.set_edges([torch.tensor(each, dtype=torch.float64) for each in EDGES])
    return embedding


def test_a_number_is_encoded_by_how_far_it_is_through_each_of_its_bins(x):
    found = piecewise()(x)
    assert found.shape == (20, 4 + 5)
    for row, encoded in zip(x.tolist(), found.tolist(), strict=True):
        expected = [v / math.sqrt(1 + (v / 3) ** 2) if k in (0, 2) else v for k, v in enumerate(row)]
        for column, edges in zip((0, 2), EDGES, strict=True):
            for low, high in pairwise(edges):
                expected.append(min(max((row[column] - low) / (high - low), 0), 1))
        assert encoded == pytest.approx(expected, abs=1e-12)


def test_between_its_first_and_last_edge_a_number_can_be_read_back_from_its_bins():
    numbers = torch.linspace(-1, 2, 50, dtype=torch.float64)
    through = piecewise()(numbers[:, None].expand(-1, 4))[:, 4:6]
    assert torch.allclose(-1 + through @ torch.tensor([1.0, 2.0], dtype=torch.float64), numbers)


def test_an_outlier_is_one_among_others():
    assert squash(torch.tensor([1e6, -1e6])).tolist() == pytest.approx([3, -3])
    assert squash(torch.tensor([0.01])).item() == pytest.approx(0.01, rel=1e-5)


def test_a_periodic_embedding_is_the_papers_equation(x):
    config = NumberEmbeddingConfig(name="periodic", columns=(1, 3), frequencies=3, size=2)
    embedding = PeriodicEmbedding(config, rng(1)).double()
    found = embedding(x)
    assert found.shape == (20, 4 + 4)
    for row, encoded in zip(x.tolist(), found.tolist(), strict=True):
        expected = [v / math.sqrt(1 + (v / 3) ** 2) if k in (1, 3) else v for k, v in enumerate(row)]
        for k, column in enumerate((1, 3)):
            angles = [2 * math.pi * c * row[column] for c in embedding.frequencies[k].tolist()]
            waves = [*map(math.cos, angles), *map(math.sin, angles)]
            for unit in range(2):
                weights = embedding.weight[k, :, unit].tolist()
                mixed = sum(w * v for w, v in zip(weights, waves, strict=True))
                expected.append(max(mixed + embedding.bias[k, unit].item(), 0))
        assert encoded == pytest.approx(expected, abs=1e-12)


def test_bins_have_equally_many_rows():
    numbers = torch.randn(1000, generator=rng(2))
    edges = quantile_edges(numbers, 8)
    assert len(edges) == 9
    counts = torch.histogram(numbers, edges).hist
    assert counts.min() >= 123
    assert counts.max() <= 127


def test_bins_are_of_more_rows_than_torch_has_quantiles_of():
    numbers = torch.arange(2**24 + 8, dtype=torch.float32) % 1000
    assert quantile_edges(numbers, 4).tolist() == pytest.approx([0, 250, 500, 749, 999], abs=1)


def test_equal_numbers_make_fewer_bins_and_a_constant_column_one():
    assert quantile_edges(torch.tensor([0.0] * 50 + [1.0, 2.0, 3.0]), 10).tolist() == [0, 3]
    assert quantile_edges(torch.tensor([0.0] * 30 + [1.0] * 31), 10).tolist() == [0, 1]
    assert quantile_edges(torch.full((9,), 4.0), 10).tolist() == [4, 5]


@pytest.mark.parametrize("name", ["piecewise_linear", "periodic"])
def test_a_network_with_embeddings_is_read_again_with_the_same_bits(tmp_path, name):
    embedding = NumberEmbeddingConfig(name=name, columns=(0, 2), bins=(2, 3))
    shape = MLPConfig(n_inputs=4, n_outputs=2, hidden_sizes=(5,), number_embedding=embedding)
    network = MLP(shape, rng(3)).eval()
    if name == "piecewise_linear":
        network.number_embedding.set_edges([torch.tensor(each) for each in EDGES])
    save_network(network, tmp_path)
    again = load_network(tmp_path)
    rows = torch.randn(30, 4, generator=rng(4))
    assert again.config == shape
    assert torch.equal(again(rows), network(rows))


def test_what_reads_bins_starts_at_0_and_the_rest_as_without_them():
    embedding = NumberEmbeddingConfig(name="piecewise_linear", columns=(0, 2), bins=(2, 3))
    shape = {"n_inputs": 4, "n_outputs": 2, "hidden_sizes": (5,), "initializer": "he_uniform"}
    embedded = MLP(MLPConfig(**shape, number_embedding=embedding), rng(3)).hidden[0].weight
    plain = MLP(MLPConfig(**shape), rng(3)).hidden[0].weight
    assert torch.equal(embedded[:, :4], plain)
    assert embedded[:, 4:].eq(0).all()
