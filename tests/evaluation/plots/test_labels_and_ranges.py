from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from layerwise.evaluation import plots
from layerwise.evaluation.plots.style import new_figure, shorten_labels, style_axes
from layerwise.evaluation.plots.tables import central_range, plot_marginals


@pytest.mark.parametrize(
    ("name", "length", "shown"),
    [
        ("age", 24, "age"),
        ("number_of_products_bought_online", 24, "number_of_products_\nbought_online"),
        ("Estimated salary (EUR a year, before tax)", 18, "Estimated salary\n(EUR a year,\nbefore tax)"),
        ("x" * 30, 24, "x" * 24 + "\n" + "x" * 6),
    ],
)
def test_a_long_name_is_written_in_lines_and_not_cut(name, length, shown):
    assert shorten_labels([name], length, lines=3) == [shown]
    assert shown.replace("\n", "").replace(" ", "") == name.replace(" ", "")


def test_only_what_needs_more_lines_is_cut():
    (shown,) = shorten_labels(["y" * 100], 10, lines=3)
    assert shown == "\n".join(["y" * 10, "y" * 10, "y" * 9 + "…"])
    assert shorten_labels(["a b c d e f"], 6) == ["a b c…"]


def test_a_name_in_several_lines_is_cut_line_by_line():
    assert shorten_labels(["the RBM,\ngiven the others"], 20) == ["the RBM,\ngiven the others"]


def test_names_that_do_not_fit_below_a_panel_are_turned():
    months = pd.DataFrame({"month": [f"month {k}" for k in range(11)], "size": ["s", "m", "l"] + ["s"] * 8})
    turned = [axes.get_xticklabels()[0].get_rotation() for axes in plot_marginals(months, months).axes]
    assert turned == [90, 0]


def test_numbers_between_those_of_the_real_rows_are_a_histogram():
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"rain": rng.choice([0.0, 0.2, 6.4], 500)})
    drawn = pd.DataFrame({"rain": rng.uniform(0, 6.4, 500)})
    assert len(plot_marginals(real, real).axes[0].patches) == 6
    heights = [patch.get_height() for patch in plot_marginals(real, drawn).axes[0].patches[:30]]
    assert sum(height > 0 for height in heights) == 2


def test_a_histogram_goes_over_all_values_where_none_lies_far_from_the_others():
    values = np.random.default_rng(0).normal(size=1000)
    assert central_range(values) == (values.min(), values.max())
    assert central_range(np.array([1.0, 1.0, 1.0, 5.0])) == (1.0, 5.0)


def test_one_outlier_does_not_squeeze_a_histogram():
    values = np.append(np.random.default_rng(0).normal(size=1000), [1e6, -1e6])
    low, high = central_range(values)
    assert -4 < low < -2
    assert 2 < high < 4


def test_the_histogram_says_how_many_rows_are_beyond_it():
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"salary": np.append(rng.normal(size=500), 1e6)})
    generated = pd.DataFrame({"salary": rng.normal(size=501)})
    figure = plot_marginals(real, generated)
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    assert high - low < 12
    low, high = central_range(real["salary"].to_numpy())
    n_real, n_generated = (
        int(((rows < low) | (rows > high)).sum()) for rows in (real["salary"], generated["salary"])
    )
    assert n_real >= 1
    text = axes.get_xlabel()
    assert text.startswith(f"beyond: {n_real} real")
    assert (f"{n_generated} generated" in text) == (n_generated > 0)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (1e-3, 1e2, ["10⁻²", "10⁰"]),
        (0.3, 3, ["1", "2"]),
        (0.21, 0.8, ["0.4", "0.6"]),
        (0.031, 0.038, ["0.032", "0.036"]),
    ],
)
def test_a_logarithmic_axis_has_numbers_however_short_it_is(tmp_path, low, high, shown):
    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.plot([0, 1], [low, high])
    axes.set_yscale("log")
    figure.savefig(tmp_path / "figure.png")
    drawn = [each.get_text() for each in axes.get_yticklabels() + axes.get_yticklabels(minor=True)]
    assert set(shown) <= set(drawn)


def test_names_that_are_the_same_up_to_the_cut_show_their_ends():
    names = ["Strongly agree", "Strongly disagree", "Neither agree nor disagree", "Agree"]
    assert shorten_labels(names, 9) == ["…ly agree", "…disagree", "Neither …", "Agree"]
    assert shorten_labels(["Strongly agree"] * 2, 20) == ["Strongly agree"] * 2


@pytest.mark.parametrize(
    "names",
    [["no", "yes"], ["Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied"], list("0123456789")],
    ids=["few", "long", "many"],
)
def test_names_of_classes_below_bars_do_not_touch(names, tmp_path):
    figure = plots.plot_class_fractions({"real": [1 / len(names)] * len(names)}, names)
    figure.savefig(tmp_path / "figure.png")
    boxes = [each.get_window_extent() for each in figure.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_large_numbers_below_a_small_panel_do_not_touch(tmp_path):
    balance = pd.DataFrame({name: np.linspace(0, 251_000, 400) for name in "abcd"})
    figure = plot_marginals(balance, balance)
    figure.savefig(tmp_path / "figure.png")
    for axes in figure.axes:
        boxes = [each.get_window_extent() for each in axes.get_xticklabels() if each.get_text()]
        assert all(left.x1 + 10 < right.x0 for left, right in pairwise(boxes))


def test_names_of_settings_are_written_as_readers_write_them():
    networks = [plots.NetworkGradients(2, name, "he_uniform", (0.1, 0.2, 0.3)) for name in ("relu", "tanh")]
    axes = plots.plot_gradients_by_layer(networks).axes[0]
    assert axes.get_title() == "He uniform start"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ReLU", "tanh"]
    bars = plots.plot_class_fractions({"gan": [0.5, 0.5], "vae, 20 epochs": [0.4, 0.6]}, ["a", "b"]).axes[0]
    assert [text.get_text() for text in bars.get_legend().get_texts()[1:]] == ["GAN", "VAE, 20 epochs"]
    failing = {"name": "failing", "works": False, "loss": 2.0, "gradients": [1e-3]}
    remedy = {"name": "elu units, He start", "works": True, "loss": 1.0, "gradients": [1e-2]}
    left = plots.plot_remedies({"exploding: relu layers, by adam": [failing, remedy]}).axes[0]
    assert left.get_title(loc="left") == "Exploding: ReLU layers, by Adam"
    assert [text.get_text() for text in left.get_yticklabels()] == ["ELU units, He start"]
    assert plots.name_noise("gaussian") == "Gaussian noise"


def test_all_names_of_a_logarithmic_axis_are_of_one_size_and_color():
    axes = style_axes(new_figure(4, 3).subplots())
    axes.plot([0, 1], [0.3, 3])
    axes.set_yscale("log")
    axes.figure.canvas.draw()
    named = [each for each in axes.get_yticklabels() + axes.get_yticklabels(minor=True) if each.get_text()]
    assert len(named) > 3
    assert len({(each.get_fontsize(), each.get_color()) for each in named}) == 1
