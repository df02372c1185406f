import numpy as np
import pytest
from PIL import Image

from layerwise.datasets import AnimationDataset


def frames(*epochs, width=20):
    return [(epoch, np.full((10, width + k, 3), 20 * k, dtype=np.uint8)) for k, epoch in enumerate(epochs)]


def test_frames_come_back_and_make_an_animation(tmp_path):
    dataset = AnimationDataset(filepath=str(tmp_path / "animation"))
    assert not dataset.exists()
    dataset.save(frames(0, 5, 12))
    back = dataset.load()
    assert [epoch for epoch, _ in back] == [0, 5, 12]
    for (_, frame), (_, other) in zip(back, frames(0, 5, 12), strict=True):
        np.testing.assert_array_equal(frame, other)
    with Image.open(tmp_path / "animation/animation.gif") as animation:
        assert animation.n_frames == 3
        assert animation.size == (22, 10)  # as wide as the widest frame


def test_an_earlier_runs_frames_go(tmp_path):
    dataset = AnimationDataset(filepath=str(tmp_path))
    dataset.save(frames(0, 1, 2))
    dataset.save(frames(0, 7))
    names = {"epoch_0000.png", "epoch_0007.png", "animation.gif"}
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("epochs", [(), (3,)])
def test_no_frame_and_one_frame_are_fine(tmp_path, epochs):
    dataset = AnimationDataset(filepath=str(tmp_path))
    dataset.save(frames(*epochs))
    assert len(dataset.load()) == len(epochs)
