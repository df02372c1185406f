import numpy as np

from layerwise.sweeping.figures import plot_sweep_history, plot_sweep_importances


def test_the_history_shows_each_trial_and_the_best_of_those_that_were_trained_to_their_end():
    figure = plot_sweep_history([(0, 0.5), (2, 0.7), (3, 0.2)], "validation/loss", stopped=[(1, 0.1)])
    (axes,) = figure.axes
    (line,) = axes.lines
    assert list(line.get_ydata()) == [0.5, 0.5, 0.2]
    early, ended = axes.collections
    assert np.array_equal(early.get_offsets(), [(1, 0.1)])
    assert np.array_equal(ended.get_offsets(), [(0, 0.5), (2, 0.7), (3, 0.2)])


def test_the_best_of_what_is_to_be_large_is_the_largest():
    figure = plot_sweep_history([(0, 0.5), (1, 0.7), (2, 0.2)], "validation/accuracy", maximize=True)
    assert list(figure.axes[0].lines[0].get_ydata()) == [0.5, 0.7, 0.7]


def test_the_parameter_that_explains_most_is_on_top():
    figure = plot_sweep_importances({"a": 0.1, "b": 0.7, "c": 0.2}, "validation/loss")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "c", "a"]
    assert [bar.get_width() for bar in axes.patches] == [0.7, 0.2, 0.1]
    assert axes.yaxis_inverted()
