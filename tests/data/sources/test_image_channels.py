import numpy as np
import pytest
from PIL import Image

from layerwise.data.errors import DataError
from layerwise.data.sources import (
    ChannelsError,
    ImageReading,
    ImageSize,
    have_colors,
    images_of_arrays,
    read_pictures,
)

RED_AND_BLUE = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)


def read(array, **reading):
    return images_of_arrays(np.asarray(array), ImageReading(**reading))


def colors(n, height, width):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def test_colors_are_kept_wherever_they_stand():
    pixels = colors(2, 5, 6)
    assert (read(pixels) == pixels).all()
    assert (read(np.moveaxis(pixels, -1, 1)) == pixels).all()
    with_transparency = np.concatenate([pixels, pixels[..., :1]], -1)
    assert (read(with_transparency) == pixels).all()


def test_images_without_a_color_are_gray_and_test_images_do_not_decide():
    gray = np.repeat(colors(4, 4, 5)[..., :1], 3, -1)
    assert (read(gray) == gray[..., 0]).all()
    mixed = np.concatenate([gray, colors(2, 4, 5)])
    assert images_of_arrays(mixed, ImageReading(), n_test=2).shape == (6, 4, 5)
    assert images_of_arrays(mixed, ImageReading(), n_test=1).shape == (6, 4, 5, 3)


def test_a_setting_makes_gray_of_colors_by_luma_and_colors_of_gray():
    found = read(RED_AND_BLUE[None], color="gray")
    assert found.tolist() == [[[76, 29]]]
    assert found.dtype == np.uint8
    gray = np.array([[[7, 8]]], np.uint8)
    assert read(gray, color="rgb").tolist() == [[[[7] * 3, [8] * 3]]]
    np.testing.assert_allclose(read(np.array([[[[1.0, 0, 0]]]]), color="gray"), [[[0.299]]])


def test_a_shape_that_says_two_things_needs_the_setting():
    pixels = colors(2, 3, 5)
    first = np.moveaxis(colors(2, 5, 3), -1, 1)
    assert (read(colors(2, 4, 5)) == colors(2, 4, 5)).all()
    with pytest.raises(ChannelsError, match="channels: first, or channels: last"):
        read(first)
    assert (read(first, channels="first") == colors(2, 5, 3)).all()
    assert (read(pixels, channels="last") == pixels).all()
    with pytest.raises(DataError, match="neither"):
        read(np.zeros((2, 5, 6, 7)))


def test_flat_rows_in_color_need_the_setting_and_flat_gray_ones_do_not():
    pixels = colors(2, 4, 4)
    flat = np.moveaxis(pixels, -1, 1).reshape(2, -1)
    with pytest.raises(
        ChannelsError, match="rows of 48 values may be images of 4 x 4 pixels in color"
    ) as found:
        read(flat)
    assert found.value.likelier == "first"
    assert (read(flat, channels="first") == pixels).all()
    assert (read(pixels.reshape(2, -1), channels="last") == pixels).all()
    # A model of gray images of 6 x 8 pixels reads its own rows, which 4 x 4 pixels in color fit too.
    gray = ImageReading(ImageSize(6, 8), "gray", "last")
    assert images_of_arrays(flat, gray).shape == (2, 48)


def test_the_message_of_flat_rows_in_color_names_the_size_that_they_would_have():
    with pytest.raises(ChannelsError, match="rows of 36 values may be images of 2 x 6 pixels in color"):
        read(np.zeros((2, 36)), size=ImageSize(2, 6))


@pytest.mark.parametrize("size", [ImageSize(2, 8), ImageSize(2, 8, resize=True), None])
def test_flat_gray_rows_of_which_colors_are_wanted_have_the_size_that_is_known_else_a_square_one(size):
    flat = np.arange(32, dtype=np.uint8).reshape(2, 16)
    found = read(flat, size=size, color="rgb")
    assert found.shape == (2, *((4, 4) if size is None else (2, 8)), 3)
    assert (found.reshape(2, 16, 3) == flat[..., None]).all()
    assert (read(flat, size=size) == flat).all()
    assert read(flat[:, :7], size=size, color="rgb").shape == (2, 7)


def test_pictures_are_in_color_if_one_of_them_is(tmp_path):
    gray = np.full((3, 4), 9, np.uint8)
    Image.fromarray(gray).save(tmp_path / "a.png")
    Image.fromarray(np.repeat(gray[..., None], 3, -1)).save(tmp_path / "b.png")
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    assert not have_colors(paths)
    assert read_pictures(paths)[0].tolist() == [gray.tolist()] * 2
    color = colors(1, 3, 4)[0]
    Image.fromarray(color).save(tmp_path / "c.png")
    paths.append(tmp_path / "c.png")
    assert have_colors(paths)
    found, wrong = read_pictures(paths)
    assert wrong == {}
    assert (found[2] == color).all()
    assert (found[0] == 9).all()
    assert found.shape == (3, 3, 4, 3)
    assert read_pictures(paths, n_test=1)[0].shape == (3, 3, 4)
    in_gray = read_pictures(paths, ImageReading(color="gray"))[0]
    assert (in_gray[2] == np.asarray(Image.fromarray(color).convert("L"))).all()


def test_a_broken_picture_in_color_costs_itself(tmp_path):
    Image.fromarray(colors(1, 3, 4)[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    found, wrong = read_pictures([tmp_path / "a.png", tmp_path / "b.png"])
    assert list(wrong) == [1]
    assert found.shape == (2, 3, 4, 3)
