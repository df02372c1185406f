import numpy as np
import pandas as pd
import pytest

from layerwise.data import ColumnBlock
from layerwise.evaluation import plots

BLOCKS = (
    ColumnBlock(name="age", kind="real", start=0, stop=1),
    ColumnBlock(name="member", kind="binary", start=1, stop=2),
    ColumnBlock(name="country", kind="categorical", start=2, stop=4, categories=("a", "b", "c")),
    ColumnBlock(name="age_missing", kind="binary", start=4, stop=5),
)


def test_a_tables_reconstruction_shows_raw_values_colored_by_their_squared_error():
    preprocessed = np.array([[0.5, 1, 0, 1, 0], [1.5, 1, 1, 0, 0]])
    restored = pd.DataFrame({"age": [41.0, 52.25], "member": [True, True], "country": ["c", "b"]})
    figure = plots.plot_table_reconstructions(restored, preprocessed, BLOCKS, [(3, 1.5)])
    axes = figure.axes[0]
    shown = [[text.get_text() for text in axes.texts[k : k + 2]] for k in (0, 2, 4)]
    assert shown == [["41", "52.25"], ["True", "True"], ["c", "b"]]
    assert np.array_equal(axes.images[0].get_array(), [[0, 1], [0, 0], [0, 2]])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["row", "epoch 3\n1.50"]


def test_marginals_set_generated_fractions_beside_real_ones():
    real = pd.DataFrame(
        {"country": ["a", "a", "b", "c"], "constant": [1, 1, 1, 1], "age": np.arange(4) * 1.0}
    )
    generated = pd.DataFrame(
        {"country": ["b", "b", "b", "a"], "constant": [1] * 4, "age": np.arange(4) * 1.0}
    )
    figure = plots.plot_marginals(real, generated)
    axes = figure.axes[0]
    assert axes.get_title() == "country"
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == [0.5, 0.25, 0.25, 0.25, 0.75, 0.0]
    assert "constant" not in [panel.get_title() for panel in figure.axes]


def test_marginals_of_many_values_are_densities():
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"age": rng.normal(size=500)})
    figure = plots.plot_marginals(real, real + 5)
    assert len(figure.axes[0].patches) == 31
    with pytest.raises(ValueError, match="no column"):
        plots.plot_marginals(pd.DataFrame({"constant": [1, 1]}), pd.DataFrame({"constant": [1, 1]}))


def test_label_errors_count_false_and_missed_positives_apart():
    figure = plots.plot_label_errors(
        [[1, 0], [0, 0], [1, 1], [0, 1]], [[0.9, 0.9], [0.9, 0], [0.1, 1], [0, 1]], ["x", "y"]
    )
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [0.25, 0.25, 0.25, 0.0]


def test_calibration_of_a_regression_compares_means_in_equal_bins():
    predicted = np.arange(100.0)
    figure = plots.plot_calibration("regression", predicted + 7, predicted)
    line = figure.axes[0].lines[1]
    assert np.allclose(line.get_ydata() - line.get_xdata(), 7)
    assert len(line.get_xdata()) == 10
