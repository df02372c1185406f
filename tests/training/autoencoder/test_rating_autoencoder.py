import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.training.autoencoder import AutoencoderSettings, rating_autoencoder

LEVELS, ITEMS = 3, 4
COLUMNS = DataSpec(
    task="ratings",
    n_inputs=LEVELS * ITEMS,
    n_outputs=1,
    feature_names=tuple(f"{item}_{level}" for item in range(ITEMS) for level in range(LEVELS)),
    blocks=tuple(
        ColumnBlock(
            name=str(item), kind="categorical", start=LEVELS * item, stop=LEVELS * (item + 1),
            categories=("1", "2", "3"),
        )
        for item in range(ITEMS)
    ),
    target_names=(),
    class_names=("1", "2", "3"),
)  # fmt: skip


def ratings(rows, items):
    found = torch.zeros(len(rows), ITEMS, LEVELS)
    for row, values in enumerate(rows):
        for item, value in zip(items, values, strict=True):
            found[row, item, value - 1] = 1
    return TensorData(found.flatten(1))


TRAINING = ratings([[1, 2, 3], [3, 2, 1], [1, 1, 3], [3, 3, 1]], (0, 1, 2))
VALIDATION = ratings([[1], [3], [1], [3]], (3,))


def train(monkeypatch, **changes):
    """Train for an epoch; return the kind and the level of the noise, and the first epoch's loss."""
    made, real = [], rating_autoencoder.Corruption

    def recorded(kind, level, *rest):
        made.append((kind, level))
        return real(kind, level, *rest)

    monkeypatch.setattr(rating_autoencoder, "Corruption", recorded)
    settings = AutoencoderSettings(variant="denoising", latent_size=8, epochs=1, batch_size=4)
    # Not validated, since settings refuse a denoising variant without noise.
    settings = settings.model_copy(update=changes)
    _, history = rating_autoencoder.train_rating_autoencoder(TRAINING, VALIDATION, COLUMNS, settings, 0)
    return made, history


@pytest.mark.parametrize(
    ("changes", "noise"),
    [
        ({}, ("masking", 0.25)),
        ({"corruption_level": 0.4}, ("masking", 0.4)),
        ({"corruption_level": 0.0}, ("masking", 0.0)),
        ({"corruption": "none"}, ("none", 0.0)),
    ],
)
def test_ratings_are_masked_as_the_settings_say(monkeypatch, changes, noise):
    made, _ = train(monkeypatch, **changes)
    assert made == [noise]


def test_the_precision_of_ratings_is_the_one_that_was_set(monkeypatch):
    losses = {
        precision: train(monkeypatch, precision=precision)[1].epochs[0]["train/loss"]
        for precision in ("float32", "bfloat16")
    }
    assert losses["float32"] != losses["bfloat16"]
    assert losses["float32"] == pytest.approx(losses["bfloat16"], rel=0.05)
