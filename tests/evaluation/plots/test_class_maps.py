"""Ten classes in one figure: which is which, whatever colours a reader sees."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from layerwise.evaluation import plots
from layerwise.evaluation.plots.style import MARKERS, PALETTE

# Linear RGB to XYZ, white D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
# What readers see of linear RGB: most, and those with one kind of cone missing (Machado, Oliveira & Fernandes 2009).
VISION = {
    "trichromat": np.eye(3),
    "protanope": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranope": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9690]],
    "tritanope": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def lab(color, vision):
    rgb = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = XYZ @ np.clip(np.array(VISION[vision]) @ linear, 0, 1) / XYZ.sum(1)
    x, y, z = np.where(seen > 0.008856, np.cbrt(seen), 7.787 * seen + 16 / 116)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(first, second):
    """Return the difference of two colours in L*a*b* (Sharma, Wu & Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) / 2
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = np.arctan2(b1, stretch * a1), np.arctan2(b2, stretch * a2)
    turn = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi
    hue, c, light = h1 + turn / 2, (c1 + c2) / 2, (l1 + l2) / 2 - 50
    t = (
        1
        - 0.17 * np.cos(hue - np.pi / 6)
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.pi / 30)
        - 0.2 * np.cos(4 * hue - 63 * np.pi / 180)
    )
    dl = (l2 - l1) / (1 + 0.015 * light**2 / np.sqrt(20 + light**2))
    dc, dh = (c2 - c1) / (1 + 0.045 * c), 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / (1 + 0.015 * c * t)
    bend = np.pi / 3 * np.exp(-(((np.degrees(hue) % 360 - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(bend)
    return float(np.sqrt(dl**2 + dc**2 + dh**2 + rotation * dc * dh))


def test_the_difference_of_colors_is_the_published_one():
    # Two pairs of Sharma, Wu & Dalal's table of test data.
    assert ciede2000((50, 2.6772, -79.7751), (50, 0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert ciede2000((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387)) == pytest.approx(
        1.2644, abs=1e-4
    )


@pytest.mark.parametrize(("vision", "least"), [(name, 20 if name == "trichromat" else 15) for name in VISION])
def test_any_two_of_the_ten_colors_can_be_distinguished(vision, least):
    assert len(PALETTE) == 10
    nearest = min(combinations(PALETTE, 2), key=lambda pair: ciede2000(*(lab(c, vision) for c in pair)))
    assert ciede2000(*(lab(c, vision) for c in nearest)) > least, nearest


def blobs(n_classes, spread):
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(n_classes), 40)
    angles = 2 * np.pi * classes / n_classes
    middles = 10 * np.stack([np.cos(angles), np.sin(angles)], 1)
    return middles + spread * rng.normal(size=middles.shape), classes


def test_each_class_of_a_map_has_a_color_and_a_shape_of_its_own():
    points, classes = blobs(10, 0.5)
    axes = plots.plot_latent_map(points, classes, class_names=tuple("0123456789")).axes[0]
    colors = {tuple(each.get_facecolor()[0][:3]) for each in axes.collections}
    shapes = {each.get_paths()[0].vertices.tobytes() for each in axes.collections}
    assert len(colors) == len(shapes) == len(axes.collections) == len(MARKERS) == 10


def test_the_name_of_a_class_stands_among_its_own_points():
    points, classes = blobs(4, 0.5)
    ring = classes == 3  # around all others: its middle is theirs
    angles = np.linspace(0, 2 * np.pi, ring.sum())
    points[ring] = 20 * np.stack([np.cos(angles), np.sin(angles)], 1)
    axes = plots.plot_latent_map(points, classes, class_names=tuple("abcd")).axes[0]
    names = {text.get_text(): np.array(text.get_position()) for text in axes.texts}
    assert set(names) == set("abcd")
    for k, name in enumerate("abcd"):
        nearest = np.square(points - names[name]).sum(1).argmin()
        assert classes[nearest] == k


def test_classes_that_lie_upon_each_other_are_named_in_the_legend_alone():
    points, classes = blobs(10, 200.0)
    axes = plots.plot_latent_map(points, classes, class_names=tuple("0123456789")).axes[0]
    assert not axes.texts
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list("0123456789")


def test_neighboring_curves_of_classes_differ_in_their_lines_too():
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 10
    figure = plots.plot_roc_and_pr_curves("multiclass", truth, rng.random((300, 10)), list("0123456789"))
    for axes in figure.axes:
        lines = [(line.get_color(), line.get_linestyle()) for line in axes.get_lines()[:10]]
        assert len(set(lines)) == 10
        assert all(one[1] != other[1] for one, other in pairwise(lines))


def test_of_very_many_classes_the_most_frequent_are_named_and_the_legend_fits():
    points, classes = blobs(60, 0.5)
    classes = np.minimum(classes, 40)  # the last one is the most frequent
    figure = plots.plot_latent_map(points, classes, class_names=tuple(f"class {k}" for k in range(60)))
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert (len(names), names[0], names[-1]) == (21, "40 other classes", "class 40")
    box = legend.get_window_extent()
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.x1
