import numpy as np
import pytest

from layerwise.evaluation.plots.animation import as_picture, film_of_pictures, film_of_points
from layerwise.evaluation.plots.gan import class_histogram, film_strip, game_curves, scatter_grid

HISTORY = [
    {"epoch": float(k), "train/value": -k / 10, "train/d_of_x": 0.5, "train/generator_gradient": 1.0}
    for k in (1, 2, 3)
]


def test_only_what_was_measured_has_a_panel():
    figure = game_curves(HISTORY)
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == ["Value V(D, G)", "Scores", "Gradients"]
    line = shown[0].get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), [-0.1, -0.2, -0.3])


def test_an_empty_game_is_an_error():
    with pytest.raises(ValueError, match="no game to draw"):
        game_curves([])


def test_bars_are_shares_in_percent():
    figure = class_histogram({"gan": [0.2, 0.8]}, ["no", "yes"])
    assert [bar.get_height() for bar in figure.axes[0].patches] == pytest.approx([20, 80])


def test_a_frame_shows_its_samples():
    dark, bright = np.zeros((4, 16)), np.ones((4, 16))
    film = film_of_pictures([(0, dark), (3, bright)], (4, 4))
    assert [epoch for epoch, _ in film] == [0, 3]
    assert film[1][1].mean() > film[0][1].mean()
    assert film[0][1].dtype == np.uint8
    assert len(film_strip(film).axes) == 2


def test_points_stand_in_the_frame_of_the_real_ones():
    real = np.array([[0.0, 0.0], [1.0, 2.0]])
    frames = film_of_points([(0, real + 100), (1, real)], real)
    assert frames[0][1].shape == frames[1][1].shape
    figure = scatter_grid({"one": real, "two": real}, real)
    assert as_picture(figure).shape[2] == 3
