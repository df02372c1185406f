"""Batch normalization: torch's own in one process, and the same over the parts of several ranks."""

import pytest
import torch
from helpers.rank_pairs import in_two_ranks
from torch import nn

from layerwise.models.layers import BatchNorm1d, BatchNorm2d
from layerwise.utils import ranks

KINDS = {"rows": (BatchNorm1d, nn.BatchNorm1d, (7, 3)), "images": (BatchNorm2d, nn.BatchNorm2d, (7, 3, 4, 2))}


def example(shape):
    """Rows of 64 bits, and what each element of the output counts for in the cost of its row."""
    rng = torch.Generator().manual_seed(1)
    rows, weights = torch.randn(2, *shape, generator=rng, dtype=torch.float64)
    return 3 + 2 * rows, weights


def outcome(layer, rows, weights, own=slice(None)):
    """Return the output, the rows' gradients of the mean cost, those of the parameters, and what the layer keeps."""
    rows = rows[own].clone().requires_grad_()
    out = layer(rows)
    (out.sin() * weights[own]).flatten(1).sum(1).mean().backward()
    ranks.add_up_gradients(layer.parameters())
    kept = [value.clone() for value in layer.state_dict().values()]
    return out.detach(), rows.grad * ranks.gradient_weight(), [each.grad for each in layer.parameters()], kept


def of_this_rank(layer, rows, weights):
    with ranks.shard(len(rows)) as own:
        out, gradient, *rest = outcome(layer, rows, weights, own)
        return ranks.gather_rows(out), ranks.gather_rows(gradient), *rest


@pytest.mark.parametrize(("own", "torchs", "shape"), KINDS.values(), ids=KINDS)
def test_ranks_of_unequal_parts_normalize_by_the_whole_batch(own, torchs, shape, tmp_path):
    rows, weights = example(shape)
    pair = in_two_ranks(lambda: of_this_rank(own(3, dtype=torch.float64), rows, weights), tmp_path)
    wanted = outcome(torchs(3, dtype=torch.float64), rows, weights)
    assert wanted[1].abs().max() > 1e-3
    for found in pair:
        torch.testing.assert_close(found, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("own", "torchs", "shape"), KINDS.values(), ids=KINDS)
def test_one_process_and_evaluation_have_torchs_bits(own, torchs, shape):
    rows, weights = example(shape)
    for found, wanted in zip(
        outcome(own(3, dtype=torch.float64), rows, weights),
        outcome(torchs(3, dtype=torch.float64), rows, weights),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted, rtol=0, atol=0)
    with ranks.joined(1, 2), ranks.shard(7):
        layer, plain = own(3).eval(), torchs(3).eval()
        assert torch.equal(layer(rows.float()), plain(rows.float()))
