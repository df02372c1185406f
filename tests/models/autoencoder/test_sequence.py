import torch
from helpers.seeded import seeded

from layerwise.data import TensorData
from layerwise.models.autoencoder import (
    RatingAutoencoder,
    RatingAutoencoderConfig,
    SequenceAutoencoder,
    SequenceConfig,
)
from layerwise.training.autoencoder import train_sequences
from layerwise.training.optim import OptimizerSettings


def test_a_sequence_is_reconstructed_and_its_future_predicted():
    # Eight waves of 2 numbers a step that differ in their phase: 6 steps tell which, and what comes.
    phase = torch.arange(8)[:, None] * torch.pi / 4
    time = torch.arange(10)[None] * torch.pi / 4
    waves = torch.stack([(phase + time).sin(), (phase + time).cos()], 2) / 2 + 0.5
    network = SequenceAutoencoder(SequenceConfig(n_inputs=2, latent_size=16), seeded())
    rows = TensorData(waves.flatten(1))
    settings = OptimizerSettings(learning_rate=0.02, schedule="cosine")
    train_sequences(network, rows, rows, settings, epochs=250, batch_size=8, n_input_steps=6, seed=0)
    with torch.no_grad():
        assert float((network.reconstruct(waves[:, :6]) - waves[:, :6]).abs().mean()) < 0.03
        assert float((network.predict(waves[:, :6], 4) - waves[:, 6:]).abs().mean()) < 0.03
        # The latent depends on the row alone: the others of the batch change nothing.
        torch.testing.assert_close(network.predict(waves[2:3, :6], 4), network.predict(waves[:, :6], 4)[2:3])


def test_the_past_is_decoded_backwards_and_returned_in_the_order_of_time():
    network = SequenceAutoencoder(SequenceConfig(n_inputs=3, latent_size=4), seeded())
    latent = torch.randn(2, 8, generator=seeded(1))
    past = network.decode_steps(latent, "past", 5)
    assert past.shape == (2, 5, 3)
    # The last step of time is decoded first, whatever the length.
    torch.testing.assert_close(past[:, -1], network.decode_steps(latent, "past", 2)[:, -1])


def ratings():
    return RatingAutoencoder(
        RatingAutoencoderConfig(n_groups=3, levels=(1.0, 2.0, 5.0), latent_size=4, center=2.5), seeded()
    )


def test_missing_ratings_are_no_input_and_add_no_loss():
    network = ratings()
    rows = torch.zeros(2, 9)
    rows[0, 2], rows[0, 4], rows[1, 0] = 1, 1, 1  # 5 and 2; 1
    values, given = network.ratings(rows)
    assert values.tolist() == [[2.5, -0.5, 0], [-1.5, 0, 0]]
    assert given.tolist() == [[1, 1, 0], [1, 0, 0]]
    predicted = torch.tensor([[4.0, 2, 99], [3, 99, 99]])
    assert network.loss(predicted, rows).tolist() == [1, 4]


def test_a_row_without_ratings_is_predicted_from_the_biases():
    network = ratings()
    empty_row = torch.zeros(1, 9)
    expected = 2.5 + network.decoder(torch.sigmoid(network.encoder.bias))
    torch.testing.assert_close(network(empty_row)[0], expected)


def test_sequences_learn_at_the_precision_that_was_set():
    rows = TensorData(torch.rand(8, 12, generator=seeded()))
    losses = {}
    for precision in ("float32", "bfloat16"):
        network = SequenceAutoencoder(SequenceConfig(n_inputs=2, latent_size=4), seeded())
        settings = OptimizerSettings(precision=precision)
        progress = train_sequences(
            network, rows, rows, settings, epochs=1, batch_size=8, n_input_steps=4, seed=0
        )
        losses[precision] = progress.history[0]["train/past"]
    assert losses["float32"] != losses["bfloat16"]
    assert abs(losses["float32"] / losses["bfloat16"] - 1) < 0.05
