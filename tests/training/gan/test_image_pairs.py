import torch

from layerwise.data import TensorData
from layerwise.training.gan import PairSettings, build_paired_networks, rollout, train_paired_gan


def moving_dots(n, n_frames, rng):
    """Videos (n, n_frames, 64) of a dot that moves one pixel to the right."""
    videos = torch.zeros(n, n_frames, 8, 8)
    down = torch.randint(8, (n,), generator=rng)
    across = torch.randint(8 - n_frames, (n,), generator=rng)
    for t in range(n_frames):
        videos[torch.arange(n), t, down, across + t] = 1.0
    return videos.flatten(2)


def test_frames_that_are_predicted_one_from_another_go_on_as_the_given_ones_move():
    rng = torch.Generator().manual_seed(0)
    videos = moving_dots(200, 5, rng)
    shape = {"hidden_sizes": (16,), "latent_size": 2}
    settings = PairSettings(**shape, epochs=4, batch_size=20, generator_learning_rate=0.01, ema_decay=0.9)
    config = settings.generator_config((8, 8), (8, 8), n_frames=2, max_motion=2)
    given = torch.cat([videos[:, t : t + 2].flatten(1) for t in range(3)])
    pairs = TensorData(videos[:, 2:].transpose(0, 1).flatten(0, 1), given)
    networks = build_paired_networks(config, settings, 0, "dots")
    trained = train_paired_gan(networks, pairs, pairs[slice(0, 20)], settings, 0, "dots")
    predicted = rollout(trained.generator, videos[:, :2], 3, seed=0)
    assert torch.equal(predicted, videos[:, 2:])


def test_a_step_on_pairs_takes_one_pass_of_the_generator():
    settings = PairSettings(hidden_sizes=(4,), latent_size=2, epochs=1, batch_size=20, ema_decay=0.0)
    config = settings.generator_config((8, 8), (8, 8), n_frames=2, max_motion=2)
    generator, discriminator = build_paired_networks(config, settings, 0, "dots")
    passes = []
    generator.body.register_forward_hook(lambda module, *_: passes.append(module.training))
    pairs = TensorData(torch.rand(40, 64), torch.rand(40, 128))
    train_paired_gan((generator, discriminator), pairs, pairs[slice(0, 20)], settings, 0, "dots")
    assert sum(passes) == 2
