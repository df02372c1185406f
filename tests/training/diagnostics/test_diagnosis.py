import pytest

from layerwise.training.diagnostics.diagnosis import LayerSummary, NetworkSummary, diagnose


def epoch(number, gradient, ratio=1.0):
    """Return an epoch in which every layer has this gradient, the first one a multiple of it."""
    layers = tuple(
        LayerSummary(
            name=f"layer_{k}", activation="relu", gradient=gradient * (ratio if k == 0 else 1),
            update_ratio=1e-3, weight_norm=1.0, reference_norm=1.0, activation_mean=0.5, activation_std=1.0,
            saturated=0.0, dead=0.0, has_identical_units=False,
        )
        for k in range(3)
    )  # fmt: skip
    return NetworkSummary(epoch=number, loss=1.0, layers=layers)


@pytest.mark.parametrize(
    ("gradients", "explodes"),
    [
        ([0.1] + [5.0] * 9, True),
        ([5.0] + [0.1] * 9, False),
        ([5.0] * 5 + [0.1] * 5, True),
        ([5.0] * 4 + [0.1] * 6, False),
        ([5.0], True),
        ([0.1] * 10, False),
    ],
)
def test_a_gradient_explodes_if_it_does_in_half_of_the_epochs(gradients, explodes):
    found = diagnose(None, [epoch(k, gradient) for k, gradient in enumerate(gradients, 1)])
    assert [sentence.split(":")[0] for sentence in found] == (["exploding"] if explodes else [])


@pytest.mark.parametrize(("ratios", "explodes"), [([1.0] + [5e3] * 3, True), ([5e3] + [1.0] * 3, False)])
def test_a_gradient_that_grows_on_its_way_down_has_to_do_so_in_half_of_the_epochs(ratios, explodes):
    found = diagnose(None, [epoch(k, 1e-4, ratio) for k, ratio in enumerate(ratios, 1)])
    assert bool(found) == explodes


def test_a_gradient_vanishes_by_the_first_epoch():
    assert diagnose(None, [epoch(1, 0.1, 1e-5), epoch(2, 0.1), epoch(3, 0.1)])[0].startswith("vanishing")
    assert diagnose(None, [epoch(1, 0.1), epoch(2, 0.1, 1e-5), epoch(3, 0.1, 1e-5)]) == []
