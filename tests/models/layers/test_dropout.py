import pytest
import torch
from torch.nn import functional

from layerwise.models import MLP, MLPConfig
from layerwise.models.layers import DropConnect


def layer(rate=0.3, mask_of="row", n=40, m=25, seed=0):
    made = DropConnect(n, m, rate, mask_of)
    made.rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in made.parameters():
            value.uniform_(-0.2, 0.2, generator=torch.Generator().manual_seed(2))
    return made


def rows(n=2000, d=40):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("mask_of", ["row", "batch"])
def test_each_row_sees_the_weights_through_a_mask_of_the_given_fraction(mask_of):
    # With one-hot rows and no bias, the output is the masked column of the weights itself.
    ours = layer(mask_of=mask_of)
    with torch.no_grad():
        ours.bias.zero_()
        found = torch.stack([ours(torch.eye(40)) for _ in range(50)])
    shown = ours.weight.detach().t().expand_as(found)
    mask = found != 0
    torch.testing.assert_close(found[mask], shown[mask] / 0.7)
    n = mask.numel()
    assert float((~mask).float().mean()) == pytest.approx(0.3, abs=5 * (0.21 / n) ** 0.5)


def test_a_mask_for_each_row_differs_between_rows_and_one_for_the_batch_does_not():
    same_rows = torch.ones(2, 40)
    first, second = layer(mask_of="row")(same_rows)
    assert not torch.equal(first, second)
    first, second = layer(mask_of="batch")(same_rows)
    assert torch.equal(first, second)


def test_the_expectation_over_masks_is_the_layer_without_them():
    ours, x = layer(), rows(1)
    with torch.no_grad():
        mean = torch.stack([ours(x.expand(500, 40)).mean(0) for _ in range(20)]).mean(0)
        full = functional.linear(x, ours.weight, ours.bias)[0]
        # The variance of one output is r / (1 - r) sum (w x)^2 (Wan et al. 2013, eq. 6, scaled).
        standard_error = (0.3 / 0.7 * (ours.weight * x).square().sum(1) / 10_000).sqrt()
    assert ((mean - full).abs() < 5 * standard_error).all()


def test_in_evaluation_it_is_a_linear_layer():
    ours = layer().eval()
    torch.testing.assert_close(ours(rows()), functional.linear(rows(), ours.weight, ours.bias))


def test_the_gradient_reaches_only_the_connections_that_were_kept():
    ours = layer(mask_of="batch", n=6, m=4)
    ours(torch.ones(3, 6)).sum().backward()
    dropped = ours.weight.grad == 0
    assert 0 < int(dropped.sum()) < 24
    torch.testing.assert_close(ours.weight.grad[~dropped], torch.full((int((~dropped).sum()),), 3 / 0.7))


def test_a_network_with_dropconnect_masks_its_hidden_layers_alone():
    shape = MLPConfig(n_inputs=5, n_outputs=3, hidden_sizes=(7, 4), dropconnect=0.5)
    net = MLP(shape, torch.Generator().manual_seed(0))
    assert [type(part).__name__ for part in (*net.hidden, net.output)] == [
        "DropConnect",
        "DropConnect",
        "Linear",
    ]
    plain = MLP(shape.model_copy(update={"dropconnect": 0.0}), torch.Generator().manual_seed(0))
    assert net.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(net.eval()(rows(9, 5)), plain(rows(9, 5)))
    net.train().use_rng(torch.Generator().manual_seed(0))
    assert not torch.equal(net(rows(9, 5)), plain(rows(9, 5)))
