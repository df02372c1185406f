import math

import numpy as np
import pytest

from layerwise.evaluation.plots import NetworkGradients, plot_gradients_by_layer, plot_remedies


def line_of(axes, label):
    (line,) = (each for each in axes.lines if each.get_label() == label)
    return line


def test_a_line_an_activation_shows_the_gradient_by_layer_of_the_deepest_network():
    figure = plot_gradients_by_layer(
        [
            NetworkGradients(1, "tanh", "normal", (0.5, 0.6)),
            NetworkGradients(2, "tanh", "normal", (0.1, 0.2, 0.3)),
            NetworkGradients(1, "relu", "normal", (0.7, 0.8)),
            NetworkGradients(2, "relu", "normal", (0.0, None, 0.4)),
        ]
    )
    by_layer, by_depth = figure.axes
    assert by_layer.get_yscale() == "log"
    assert list(line_of(by_layer, "tanh").get_xdata()) == [1, 2, 3]
    assert list(line_of(by_layer, "tanh").get_ydata()) == [0.1, 0.2, 0.3]
    np.testing.assert_equal(line_of(by_layer, "ReLU").get_ydata(), [math.nan, math.nan, 0.4])
    assert list(line_of(by_depth, "tanh").get_xdata()) == [1, 2]
    assert list(line_of(by_depth, "tanh").get_ydata()) == [0.5, 0.1]


def test_networks_of_one_depth_have_no_line_by_depth():
    networks = [NetworkGradients(1, "tanh", each, (0.5, 0.6)) for each in ("normal", "he_uniform")]
    figure = plot_gradients_by_layer(networks)
    assert [axes.get_title() for axes in figure.axes] == ["normal start", "He uniform start"]


def remedy(name, loss, gradient, works=True):
    return {"name": name, "loss": loss, "gradients": (gradient, 1.0), "works": works}


def test_an_arrow_leads_from_the_failing_network_to_each_remedy():
    found = {"vanishing": [remedy("failing", 2.0, 1e-8, False), remedy("relu", 0.5, 1e-2)]}
    loss, gradient = plot_remedies(found).axes
    for axes, before, after in ((loss, 2.0, 0.5), (gradient, 1e-8, 1e-2)):
        assert [line.get_xdata()[0] for line in axes.lines] == [before, after]
        (arrow,) = axes.texts
        assert (arrow.xy, arrow.xyann) == ((after, 0), (before, 0))
    assert [label.get_text() for label in loss.get_yticklabels()] == ["ReLU"]


@pytest.mark.parametrize(
    ("before", "after", "arrows"),
    [((None, None), (0.5, 0.1), 1), ((2.0, 0.1), (None, None), 1), ((2.0, 0.1), (2.01, 0.101), 0)],
    ids=["the failing network diverged", "the remedy diverged", "nothing changed"],
)
def test_what_diverged_stands_at_the_right_edge_and_what_stays_has_no_arrow(before, after, arrows):
    found = {"it": [remedy("failing", *before, False), remedy("clipping", *after, False)]}
    for axes in plot_remedies(found).axes:
        assert len(axes.texts) == arrows
        for text in axes.texts:
            at_edge = text.xyann[0] if before[0] is None else text.xy[0]
            assert at_edge == 1.0
