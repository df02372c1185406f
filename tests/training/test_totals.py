import torch

from layerwise.training.totals import Totals


def test_the_mean_of_many_batches_is_as_exact_as_that_of_a_few():
    # 3,000 batches after as many rows as 16 million: in float32 each would add 256 in place of 300.3.
    totals = Totals()
    totals.add({"loss": torch.full((1,), 2.0**32)})
    for _ in range(3000):
        totals.add({"loss": torch.full((1000,), 0.3003)})
    assert abs(float(totals.sums["loss"]) - 2.0**32 - 900_900) < 1


def test_members_have_exact_means_too():
    totals = Totals()
    totals.add({"loss": torch.tensor([[2.0**32], [0.0]])})
    for _ in range(3000):
        totals.add({"loss": torch.full((2, 1000), 0.3003)})
    found = totals.sums["loss"] - torch.tensor([2.0**32, 0.0])
    torch.testing.assert_close(found, torch.full((2,), 900_900.0, dtype=torch.float64), rtol=1e-6, atol=0)
