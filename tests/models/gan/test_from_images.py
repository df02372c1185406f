import pytest
import torch
from pydantic import ValidationError
from torch import nn

from layerwise.models.gan import Generator, GeneratorConfig
from layerwise.models.gan.from_images import Motion, fans

COLORED = (8, 12, 3)


def unet(given, image_shape, **changed):
    shape = {
        "network": "unet",
        "given_shape": given,
        "image_shape": image_shape,
        "n_conditions": torch.Size(given).numel(),
        "n_outputs": torch.Size(image_shape).numel(),
        "latent_size": 2,
        "channels": 3,
    }
    return Generator(GeneratorConfig(**(shape | changed)), torch.Generator().manual_seed(0))


@pytest.mark.parametrize("given", [COLORED, (8, 12), (2, 3, 3)])
def test_a_u_net_draws_an_image_from_the_given_one_and_the_noise(given):
    network = unet(given, COLORED)
    z, condition = torch.randn(4, 2), torch.rand(4, network.config.n_conditions)
    images = network(z, condition)
    assert images.shape == (4, 8 * 12 * 3)
    assert not torch.equal(images, network(z, condition.roll(1, 0)))
    assert not torch.equal(images, network(-z, condition))


class Constant(nn.Module):
    """Gives every row the same logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, rows):
        return self.logits.expand(len(rows), -1)


def test_motion_moves_the_last_frame_by_the_most_probable_displacement():
    # 1 down and 2 to the left, of -2 to 2.
    motion = Motion(Constant([0.0, 0, 0, 1, 0, 1, 0, 0, 0, 0]), (5, 6, 2)).eval()
    frames = torch.rand(3, 2, 5, 6, 2)
    found = motion(torch.cat([torch.rand(3, 4), frames.flatten(1)], 1)).view(3, 5, 6, 2)
    expected = torch.zeros(3, 5, 6, 2)
    expected[:, 1:, :-2] = frames[:, 1, :-1, 2:]
    assert torch.equal(found, expected)


def test_in_training_motion_is_the_mean_over_the_displacements():
    motion = Motion(Constant([torch.tensor(3.0).log().item(), 0.0, -1e9, -1e9, 0.0, -1e9]), (4, 4))
    frame = torch.rand(1, 4, 4)
    # Up by 1 with probability 3/4 and by 0 with 1/4; across by 0.
    expected = frame / 4
    expected[:, :-1] += 0.75 * frame[:, 1:]
    torch.testing.assert_close(motion(frame.flatten(1)).view(1, 4, 4), expected)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 5, 4, 2, 1, bias=False),
        nn.Conv2d(3, 5, 3, 1, 1, bias=False),
        nn.ConvTranspose2d(3, 5, 4, 2, 1, bias=False),
    ],
)
def test_fans_are_the_connections_of_an_output_and_an_input_off_the_border(layer):
    nn.init.ones_(layer.weight)
    x = torch.ones(1, 3, 8, 8, requires_grad=True)
    output = layer(x)
    middle = output.shape[2] // 2
    (gradient,) = torch.autograd.grad(output.sum(), x)
    assert fans(layer) == (gradient[0, 0, 4, 4].item(), output[0, 0, middle, middle].item())
    assert fans(nn.Linear(3, 7)) == (7, 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"given_shape": None}, "needs image_shape and given_shape"),
        ({"given_shape": (4, 6)}, r"makes no image of \(8, 12\) from one of \(4, 6\)"),
        ({"n_conditions": 192}, "192 conditions are no images"),
        ({"n_conditions": 95}, "95 conditions are no images"),
        ({"output": "linear"}, "unet needs a sigmoid"),
        ({"network": "motion"}, "set output: linear"),
    ],
)
def test_images_that_do_not_fit_are_refused(changed, message):
    with pytest.raises(ValidationError, match=message):
        unet((8, 12), (8, 12), **changed)
