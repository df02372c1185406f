"""Figures of color images show their colors."""

import numpy as np
import pytest

from layerwise.evaluation.plots import plot_features, plot_image_rows, plot_inpainting, plot_samples
from layerwise.evaluation.plots.images import plot_images, plot_reconstructions

SHAPE = (2, 3, 3)
ROWS = np.random.default_rng(0).random((5, 18))


def drawn(figure):
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


def test_samples_stand_in_their_colors_with_white_between_them():
    (mosaic,) = drawn(plot_samples(ROWS, SHAPE))
    assert mosaic.shape == (2 * 3 - 1, 3 * 4 - 1, 3)
    np.testing.assert_array_equal(mosaic[:2, 4:7], ROWS[1].reshape(SHAPE))
    assert (mosaic[2] == 1).all()


@pytest.mark.parametrize(
    "figure",
    [
        plot_images(ROWS, SHAPE, captions=list("abcde")),
        plot_reconstructions(ROWS[0], [(1, ROWS[1], 0.5), (2, ROWS[2], 0.4)], image_shape=SHAPE),
        plot_inpainting(ROWS, np.arange(18) >= 9, ROWS, SHAPE),
    ],
)
def test_every_figure_of_images_draws_the_colors(figure):
    images = drawn(figure)
    assert all(image.shape == SHAPE for image in images)
    np.testing.assert_array_equal(images[0], ROWS[0].reshape(SHAPE))


def test_rows_of_images_stand_in_lines_with_their_names_and_captions():
    figure = plot_image_rows({"row": ROWS, "turned": ROWS[::-1]}, SHAPE, captions=list("abcde"))
    (mosaic,) = drawn(figure)
    np.testing.assert_array_equal(mosaic[:2, 4:7], ROWS[1].reshape(SHAPE))
    np.testing.assert_array_equal(mosaic[3:5, :3], ROWS[4].reshape(SHAPE))
    (axes,) = figure.axes
    labels = [[label.get_text() for label in axis.get_ticklabels()] for axis in (axes.yaxis, axes.xaxis)]
    assert labels == [["row", "turned"], list("abcde")]


def test_filters_in_color_are_gray_where_a_weight_is_zero():
    weights = np.zeros((18, 2))
    weights[0, 0], weights[4, 0] = 2.0, -2.0
    weights[:, 1] = 1.0
    figure = plot_features(weights, image_shape=SHAPE)
    (mosaic,) = drawn(figure)
    assert mosaic[0, 0].tolist() == [1.0, 0.5, 0.5]
    assert mosaic[0, 1].tolist() == [0.5, 0.0, 0.5]
    assert (mosaic[:2, 4:7] == 1).all()
    assert "gray is 0" in figure.axes[0].get_xlabel()


def test_rows_of_another_size_are_refused():
    with pytest.raises(ValueError, match="no images"):
        plot_samples(ROWS[:, :6], SHAPE)


def test_filters_by_rows_are_those_of_units_that_vary_and_blank_where_pixels_do_not():
    rows = np.zeros((4, 6))
    rows[:, 0], rows[:, 1] = [0, 2, 0, 2], [0, 0, 4, 4]
    # The first unit is the largest, and reads a pixel that is always 0.
    weights = np.array([[0.0, 1, 1], [0, 1, 0], [9, 0, 0], [0, 0, 0], [0, 7, 0], [0, 0, 0]])
    (mosaic,) = drawn(plot_features(weights, image_shape=(2, 3), rows=rows, limit=1))
    # The second unit's weights times the pixels' standard deviations 1, 2 and 0, over the largest.
    np.testing.assert_allclose(np.asarray(mosaic), [[0.5, 1, 0], [0, 0, 0]])
