import numpy as np
import pytest

from layerwise.evaluation.metrics import linear_probe
from layerwise.evaluation.plots import plot_activations, plot_inpainting


def parts(task, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 5))
    score = x @ np.array([2.0, -1.0, 0.5, 0, 0])
    y = {
        "regression": score[:, None] + 0.1 * rng.normal(size=(600, 1)),
        "binary": (score > 0).astype(float)[:, None],
        "multiclass": np.digitize(score, [-1, 1]),
        "multilabel": np.stack([score > 0, x[:, 4] > 0, np.zeros(600)], 1).astype(float),
    }[task]
    return [(x[a:b], y[a:b]) for a, b in ((0, 400), (400, 500), (500, 600))]


@pytest.mark.parametrize(
    ("task", "n_outputs", "name", "bound"),
    [
        ("regression", 1, "rmse", 0.13),
        ("binary", 1, "error", 0.06),
        ("multiclass", 3, "error", 0.12),
        ("multilabel", 3, "hamming_loss", 0.06),
    ],
)
def test_a_linear_relation_is_found(task, n_outputs, name, bound):
    found = linear_probe(task, *parts(task), n_outputs=n_outputs, n_bootstrap=0)
    assert found[name].value < bound


@pytest.mark.filterwarnings("error")
def test_features_of_very_different_scales_are_fitted_to_the_end():
    targets = parts("multiclass")
    scaled = [(x * [1, 3, 10, 30, 100], y) for x, y in targets]
    found = linear_probe("multiclass", *scaled, n_outputs=3, n_bootstrap=0)
    assert found["error"].value < 0.12


def test_a_few_units_have_a_few_bins_and_whole_numbers_of_units():
    rng = np.random.default_rng(0)
    bars = {n: plot_activations(rng.random((50, n))).axes[1] for n in (30, 500)}
    assert len(bars[30].patches) == 12
    assert len(bars[500].patches) == 40
    assert all(float(tick).is_integer() for tick in bars[30].get_yticks())


def test_plots_of_rbms_show_what_they_are_given():
    rng = np.random.default_rng(0)
    figure = plot_activations(rng.random((120, 300)))
    assert figure.axes[0].images[0].get_array().shape == (100, 200)
    assert "200 of 300 units" in figure.axes[0].get_title()
    rows = rng.random((4, 6))
    missing = np.array([False] * 3 + [True] * 3)
    inpainted = np.where(missing, 1.0, rows)
    figure = plot_inpainting(rows, missing, inpainted, (2, 3))
    assert len(figure.axes) == 12
    np.testing.assert_array_equal(figure.axes[4].images[0].get_array()[1], [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(figure.axes[8].images[0].get_array()[1], [1, 1, 1])
