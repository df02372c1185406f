"""Two ranks learn what one process learns from the same batches, for every kind of plan that spreads its rows."""

import pytest
import torch
from helpers.rank_pairs import in_two_ranks
from helpers.resumable_trainings import TRAININGS, autoencoder, gan, mlp, rbm

from layerwise.training import TrainingError, eager_steps

REFUSED = {
    "dbn, up and down": "UpDown does not spread",
    "network stack": "NetworkStackPlan does not spread",
    "gan of packs": "in packs",
    "autoencoder with swap noise": "swap noise",
}
MORE = {
    "rbm, centered, sparse, with momentum": rbm(
        {"dropout": 0.3}, centered=True, sparsity_target=0.1, dropout=0.3
    ),
    "rbm of rectified units": rbm({"hidden": "nrelu"}, hidden="nrelu"),
    "mlp, clipped, weighted, limited": mlp(
        clip_norm=0.1, class_weights="balanced", l1=0.1, l2=0.1, max_norm=1.0, label_smoothing=0.1
    ),
    "autoencoder, free bits": autoencoder(variant="variational", free_bits=0.2, beta=2.0),
    "autoencoder, importance weighted": autoencoder(variant="variational", importance_samples=3),
    "autoencoder, contractive": autoencoder(variant="contractive"),
    "autoencoder with swap noise": autoencoder(variant="denoising", corruption="swap"),
    "gan, penalized, augmented": gan(
        generator_normalization="none",
        objective="wasserstein_penalty",
        augmentation=("color", "translation", "cutout"),
        instance_noise=0.1,
    ),
    "gan of classes, averaged": gan(
        generator_normalization="none",
        condition="class",
        ema_decay=0.9,
        discriminator_steps=2,
        dropout=0.2,
        r1=1.0,
    ),
    "gan of least squares": gan(generator_normalization="none", objective="least_squares"),
    "gan of packs": gan(pac=2),
    "gan, both normalized": gan(discriminator_normalization="batch", batch_size=14),
}
# bfloat16 products are for weights of 32 bits, whose sums in another order differ.
ALL = {name: train for name, train in (TRAININGS | MORE).items() if name != "rbm in bfloat16"}


def trained(name):
    """Return a training's result with numbers of 64 bits, or why it was refused."""
    torch.set_default_dtype(torch.float64)
    try:
        return ALL[name]()
    except TrainingError as error:
        return str(error)
    finally:
        torch.set_default_dtype(torch.float32)


def numbers(found):
    """Yield every number, but for what a clock says."""
    if isinstance(found, torch.Tensor):
        yield from found.detach().double().flatten().tolist()
    elif isinstance(found, dict):
        for key in sorted(found.keys() - {"seconds"}):
            yield from numbers(found[key])
    elif isinstance(found, list | tuple):
        for value in found:
            yield from numbers(value)
    elif isinstance(found, int | float):
        yield float(found)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    def work():
        eager_steps.LEAST_ROWS = 1
        return {name: trained(name) for name in ALL}

    return in_two_ranks(work, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("name", sorted(ALL.keys() - REFUSED.keys()))
def test_two_ranks_learn_what_one_process_learns(name, pair):
    alone = torch.tensor(list(numbers(trained(name))), dtype=torch.float64)
    assert len(alone) > 50
    for found in pair:
        assert not isinstance(found[name], str), found[name]
        together = torch.tensor(list(numbers(found[name])), dtype=torch.float64)
        torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_spread_is_refused_with_the_reason(name, pair):
    for found in pair:
        assert "compute.ranks: 2 is not for this training" in found[name]
        assert REFUSED[name] in found[name]
