import numpy as np
import pytest

from layerwise.evaluation.plots import (
    animate_images,
    animate_points,
    plot_class_fractions,
    plot_frames,
    plot_gan_curves,
    plot_scatter_grid,
)
from layerwise.evaluation.plots.animation import render_figure

HISTORY = [
    {"epoch": float(k), "train/value": -k / 10, "train/d_of_x": 0.5, "train/generator_gradient": 1.0}
    for k in (1, 2, 3)
]


def test_only_what_was_measured_has_a_panel():
    figure = plot_gan_curves(HISTORY)
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == ["Value V(D, G)", "Scores", "Gradients"]
    line = shown[0].get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), [-0.1, -0.2, -0.3])
    # Each panel has a legend of its own, and the figure none that says it all again.
    assert figure.legends == []
    assert all(axes.get_legend() is not None for axes in shown)


def test_an_empty_history_is_an_error():
    with pytest.raises(ValueError, match="nothing to plot"):
        plot_gan_curves([])


def test_bars_are_fractions_in_percent():
    figure = plot_class_fractions({"gan": [0.2, 0.8]}, ["no", "yes"])
    assert [bar.get_height() for bar in figure.axes[0].patches] == pytest.approx([20, 80])


def test_a_frame_shows_its_samples():
    dark, bright = np.zeros((4, 16)), np.ones((4, 16))
    animation = animate_images([(0, dark), (3, bright)], (4, 4))
    assert [epoch for epoch, _ in animation] == [0, 3]
    assert animation[1][1].mean() > animation[0][1].mean()
    assert animation[0][1].dtype == np.uint8
    assert len(plot_frames(animation).axes) == 2


def test_points_are_shown_within_the_limits_of_the_real_ones():
    real = np.array([[0.0, 0.0], [1.0, 2.0]])
    frames = animate_points([(0, real + 100), (1, real)], real)
    assert frames[0][1].shape == frames[1][1].shape
    figure = plot_scatter_grid({"one": real, "two": real}, real)
    assert render_figure(figure).shape[2] == 3
