import re
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
import torch
from helpers.digits import embedded_digits
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from layerwise.evaluation import Segment, plots
from layerwise.evaluation.metrics import Importance, Metric, compute_metrics
from layerwise.evaluation.plots import new_figure

SHAPE = (28, 28)


@pytest.fixture(scope="module")
def digits():
    pixels, labels = embedded_digits()
    order = np.random.default_rng(0).permutation(5000)[:300]
    return pixels[order] / 255, labels[order]


@pytest.fixture(scope="module")
def answers(digits):
    _, labels = digits
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(300, 10)) + 3 * np.eye(10)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def texts(figure):
    """Every visible piece of text: its words and its box in pixels."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    # Matplotlib keeps tick labels beyond the ends of an axis and never draws them.
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            margin = 1e-9 * (high - low)
            for tick in [*axis.majorTicks, *axis.minorTicks]:
                if not low - margin <= tick.get_loc() <= high + margin or not axes.axison:
                    beyond |= {tick.label1, tick.label2}
    found = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in beyond:
            found.append((text.get_text(), text.get_window_extent(renderer)))
    return found


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def points(settings):
    return [{"setting": s, "bytes": size, "squared_error": error} for s, size, error in settings]


def all_figures(digits, answers):
    pixels, labels = digits
    targets, scores = answers
    yes = (targets == 3).astype(float)
    rng = np.random.default_rng(2)
    columns = [f"a column with a long name {k}" for k in range(12)]
    names = [str(k) for k in range(10)]
    history = [
        {"train/loss": 1 / k, "validation/loss": 2 / k, "train/accuracy": 1 - 1 / k} for k in range(1, 20)
    ]
    snapshots = [(epoch, pixels[k], 100.0 - k) for k, epoch in enumerate((0, 1, 5, 20))]
    measured = compute_metrics("binary", yes, scores[:, 3], n_bootstrap=50)
    importances = [Importance(name=name, mean=0.1, std=0.01) for name in columns]
    errors = {name: {100: [0.2, 0.3], 1000: [0.1, 0.12]} for name in ("pretrained", "random start")}
    return {
        "samples": plots.plot_samples(pixels[:20], SHAPE),
        "captions": plots.plot_images(pixels[:7], SHAPE, captions=[f"digit {k}" for k in labels[:7]]),
        "augmentations": plots.plot_image_rows({"original": pixels[:5], "noise": pixels[:5]}, SHAPE),
        "long names of images": plots.plot_image_rows(
            dict.fromkeys(("image", "from a latent of 64", "from 64 principal components"), pixels[:10]),
            SHAPE,
        ),
        "features": plots.plot_features(pixels[:30].T, image_shape=SHAPE),
        "table features": plots.plot_features(rng.normal(size=(12, 9)), feature_names=columns),
        "reconstructions": plots.plot_reconstructions(pixels[0], snapshots, image_shape=SHAPE),
        "labels": plots.plot_label_errors(np.eye(12)[[0, 1, 2]], rng.random((3, 12)), columns),
        "calibration of values": plots.plot_calibration(
            "regression", rng.normal(size=90), rng.normal(size=90)
        ),
        "curves": plots.plot_learning_curves({"layer 1": history, "fine-tuning": history}),
        "few labels": plots.plot_label_efficiency(errors),
        "confusion": plots.plot_confusion_matrix(targets, scores.argmax(1), names),
        "long confusion": plots.plot_confusion_matrix(
            targets, scores.argmax(1), [f"garment number {k}" for k in names]
        ),
        "curves of classes": plots.plot_roc_and_pr_curves("multiclass", targets, scores, names),
        "curve of two": plots.plot_roc_and_pr_curves("binary", yes, scores[:, 3]),
        "calibration": plots.plot_calibration("multiclass", targets, scores),
        "predicted": plots.plot_predicted_vs_true(rng.normal(size=50), rng.normal(size=50), unit="ha"),
        "importance": plots.plot_importances(importances),
        "comparison": plots.plot_metric_comparison(
            {"network": measured, "gradient boosting": measured}, ["error", "roc_auc"]
        ),
        "segments": plots.plot_segments(
            [
                Segment(column=name, value=name[::-1], rows=1000 + k, metrics={"error": measured["error"]})
                for k, name in enumerate(columns)
            ]
        ),
        "compression": plots.plot_rate_distortion(
            {
                "autoencoder": points([(2, 7.5, 20), (3, 11, 12), (8, 30, 9.6)]),
                "pca": points([(2, 7.5, 23), (3, 11, 16), (8, 30, 14.6)]),
                "jpeg": points([(1, 39, 10), (50, 170, 0.95), (90, 340, 0.06)]),
            },
            784,
            {"autoencoder": 837936, "pca": 97456, "jpeg": 330},
        ),
        "compression by a large latent": plots.plot_rate_distortion(
            {
                "autoencoder": points([(2, 64, 14.2), (4, 128, 13.9), (8, 256, 14)]),
                "pca": points([(2, 64, 13.6), (4, 128, 1.8), (8, 256, 1.4)]),
                "jpeg": points([(1, 39, 10.3), (50, 127, 1.6), (90, 340, 0.06)]),
            },
            784,
            {"autoencoder": 808000, "pca": 808000, "jpeg": 330},
        ),
        "anomalies": plots.plot_anomaly_scores(
            rng.normal(size=300),
            yes,
            {
                name: {"auc": 0.7, "threshold": 1.0, "recall": 0.05, "false_positive_rate": 0.06}
                for name in ("density", "isolation_forest")
            },
            "density",
            "class 3",
        ),
        "a gradient of more than one decade": plots.plot_gan_curves(
            [{"epoch": float(k), "train/generator_gradient": 0.3 * k, "train/value": k} for k in range(1, 26)]
        ),
        "activations": plots.plot_activations(rng.random((120, 30))),
        "map": plots.plot_latent_map(pixels[:, 300:330], labels, class_names=names),
        "heat map": plots.plot_heat_map(rng.random((12, 12)), columns, columns, title="Heat", value="norm"),
    }


@pytest.fixture(scope="module")
def drawn(digits, answers):
    """Every figure by its name, with its texts."""
    return {name: (figure, texts(figure)) for name, figure in all_figures(digits, answers).items()}


def test_no_two_texts_of_a_figure_overlap_and_none_is_cut_off(drawn):
    for name, (figure, boxes) in drawn.items():
        assert isinstance(figure, Figure)
        assert boxes, name
        width, height = figure.canvas.get_width_height()
        for k, (words, box) in enumerate(boxes):
            assert box.x0 >= -1, (name, words)
            assert box.x1 <= width + 1, (name, words)
            assert box.y0 >= -1, (name, words)
            assert box.y1 <= height + 1, (name, words)
            for other, second in boxes[k + 1 :]:
                apart = (
                    box.x1 <= second.x0 + 1
                    or second.x1 <= box.x0 + 1
                    or box.y1 <= second.y0 + 1
                    or second.y1 <= box.y0 + 1
                )
                assert apart, (name, words, other)


def test_no_figure_has_an_abbreviation_that_a_student_does_not_know(drawn):
    for name, (_, boxes) in drawn.items():
        for words, _ in boxes:
            found = re.findall(r"\b(?:AUC|auc|AP|SSIM|PSNR|RMSE|MAE|FID)\b", words)
            assert not found, (name, words)
    noises = {"gaussian": {"before": {"psnr": 13.3, "ssim": 0.59}, "after": {"psnr": 18.1, "ssim": 0.71}}}
    assert plots.format_denoising(noises) == [
        "Gaussian noise taken away: signal to noise 13.3 → 18.1 dB, similarity 0.59 → 0.71"
    ]


def test_figures_are_made_without_pyplot():
    code = "import sys, layerwise.evaluation.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_grid_has_a_caption_for_each_image_and_the_images_are_the_rows(digits):
    pixels, _ = digits
    figure = plots.plot_images(torch.tensor(pixels[:3]), SHAPE, captions=["a", "b", "c"], columns=2)
    assert titles(figure) == ["a", "b", "c", ""]
    assert np.array_equal(figure.axes[1].images[0].get_array(), pixels[1].reshape(SHAPE))


def test_a_mosaic_puts_rows_from_left_to_right_then_down(digits):
    pixels, _ = digits
    canvas = plots.plot_samples(pixels[:4], SHAPE).axes[0].images[0].get_array()
    assert canvas.shape == (57, 57)
    assert np.array_equal(canvas[:28, 29:], pixels[1].reshape(SHAPE))
    assert np.array_equal(canvas[29:, :28], pixels[2].reshape(SHAPE))


def test_the_strongest_features_are_shown_each_on_its_own_scale(digits):
    weights = np.stack([np.full(784, 0.001), np.full(784, 3.0), np.full(784, -2.0), np.zeros(784)], 1)
    figure = plots.plot_features(weights, image_shape=SHAPE, limit=2)
    canvas = figure.axes[0].images[0].get_array()
    assert set(np.unique(canvas.compressed())) == {-1.0, 1.0}
    assert "2 of 4 units" in figure.axes[0].get_xlabel()


def test_reconstructions_stand_beside_the_row_with_epoch_and_loss(digits):
    pixels, _ = digits
    snapshots = [(0, pixels[1], 543.21), (20, pixels[2], 61.0)]
    figure = plots.plot_reconstructions(pixels[0], snapshots, image_shape=SHAPE)
    assert titles(figure) == ["original", "start\nloss 543.2", "epoch 20\nloss 61.0"]
    assert np.array_equal(figure.axes[2].images[0].get_array(), pixels[2].reshape(SHAPE))


def test_learning_curves_have_a_panel_for_each_metric_and_a_line_for_each_role():
    history = [{"train/loss": 2.0, "validation/loss": 3.0, "seconds": 9.0}, {"train/loss": 1.0}]
    figure = plots.plot_learning_curves({"layer 1": [{"train/loss": 1.0}], "fine-tuning": history})
    assert titles(figure) == ["layer 1", "fine-tuning"]
    train, validation = figure.axes[1].lines
    assert list(train.get_xdata()) == [1, 2]
    assert list(train.get_ydata()) == [2.0, 1.0]
    assert list(validation.get_ydata()) == [3.0]
    assert figure.axes[1].get_ylabel() == "loss (per row)"


def test_the_epoch_whose_weights_were_kept_is_marked():
    history = [{"train/loss": 2.0}, {"train/loss": 1.0}]
    named = {"layer 1": history, "fine-tuning": history}
    figure = plots.plot_learning_curves(named, kept={"fine-tuning": 2})
    layer, finetuning = figure.axes
    assert len(layer.lines) == 1
    assert titles(figure) == ["layer 1", "fine-tuning, epoch 2 kept"]
    mark = finetuning.lines[-1]
    assert list(mark.get_xdata()) == [2, 2]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["training rows, in the epoch's steps", "epoch whose weights were kept"]


def test_label_efficiency_shows_percent_means_and_standard_deviations():
    figure = plots.plot_label_efficiency({"pretrained": {100: [0.1, 0.3], 1000: [0.1, 0.1]}})
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert list(axes.lines[0].get_ydata()) == pytest.approx([20, 10])
    low, high = axes.containers[0][2][0].get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(100 * np.std([0.1, 0.3], ddof=1))


def test_confusion_counts_true_classes_by_line():
    figure = plots.plot_confusion_matrix([0, 0, 1], [0, 1, 1], ["no", "yes"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "1", "0", "1"]
    assert figure.get_suptitle() == "1 of 3 rows wrong (33.33%)"


def test_of_many_classes_those_with_the_most_errors_are_shown():
    # Of each class four rows; all are right but one of each of the classes 7, 20 and 99, which are taken for the next.
    targets = np.repeat(np.arange(100), 4)
    predicted = targets.copy()
    predicted[[28, 80]] += 1
    predicted[396] = 7
    names = [f"c{k}" for k in range(100)]
    figure = plots.plot_confusion_matrix(targets, predicted, names)
    shown = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert len(shown) == 40
    assert {"c7", "c8", "c20", "c21", "c99"} <= set(shown)
    assert shown == sorted(shown, key=names.index)
    assert len(figure.axes[0].texts) == 40 * 40
    k = shown.index("c99")
    assert figure.axes[0].images[0].get_array()[k].tolist() == [
        0.25 * (n == "c7") + 0.75 * (n == "c99") for n in shown
    ]
    assert (
        figure.get_suptitle() == "3 of 400 rows wrong (0.75%); 40 of 100 classes, those with the most errors"
    )
    curves = plots.plot_roc_and_pr_curves("multiclass", targets, np.eye(100)[predicted], names)
    # And the line of chance.
    assert len(curves.axes[0].lines) == 21
    assert curves.get_suptitle() == "20 of 100 curves, those with the most errors"
    labels = plots.plot_label_errors(np.eye(100)[targets], np.eye(100)[predicted], names)
    assert len(labels.axes[0].get_yticklabels()) == 40
    assert labels.get_suptitle().endswith("wrong label; 40 of 100 labels, those with the most errors")


def test_ranking_curves_state_their_areas(answers):
    targets, scores = answers
    figure = plots.plot_roc_and_pr_curves("multiclass", targets, scores)
    assert len(figure.axes[0].lines) == 11
    binary = plots.plot_roc_and_pr_curves("binary", targets == 3, scores[:, 3])
    found = compute_metrics("binary", targets == 3, scores[:, 3], n_bootstrap=0)
    assert binary.axes[0].get_legend().texts[0].get_text() == f"area under it {found['roc_auc'].value:.3f}"
    expected = f"average precision {found['average_precision'].value:.3f}"
    assert binary.axes[1].get_legend().texts[0].get_text() == expected


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_calibration_figure_states_the_measured_error(answers, task):
    targets, scores = answers
    rows = (targets == 3, scores[:, 3]) if task == "binary" else (targets, scores)
    error = compute_metrics(task, *rows, n_bootstrap=0)["calibration_error"].value
    figure = plots.plot_calibration(task, *rows)
    assert f"calibration error {error:.3f}" in figure.axes[0].get_title()
    assert sum(bar.get_height() for bar in figure.axes[1].patches) == 300


def test_predicted_against_true_has_units_and_one_dot_a_row():
    figure = plots.plot_predicted_vs_true([1.0, 2], [1.5, 2], target_name="area", unit="ha")
    assert figure.axes[0].get_xlabel() == "true area (ha)"
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[1, 1.5], [2, 2]]
    assert "0.3536 ha" in figure.get_suptitle()


def test_the_most_important_column_is_on_top():
    shown = [Importance(name="a", mean=0.5, std=0.1), Importance(name="b", mean=0.1, std=0.0)]
    axes = plots.plot_importances(shown).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.1]
    assert axes.yaxis_inverted()


def test_intervals_of_compared_models_are_not_shrunk_by_a_constant_prediction_that_is_far_away():
    near = Metric(name="error", value=0.05, low=0.03, high=0.07, base_rate=0.1, better="lower")
    far = near.model_copy(update={"base_rate": 0.9})
    for metric, said in ((near, "constant prediction: dotted"), (far, "constant prediction: 0.9")):
        axes = plots.plot_metric_comparison({"network": {"error": metric}}, ["error"]).axes[0]
        low, high = axes.get_xlim()
        assert axes.get_title() == said
        assert 0.04 / (high - low) > 0.4  # the interval's part of the axis; 0.05 if it reached to 0.9
        assert (low < metric.base_rate < high) == (metric is near)


def test_latents_are_projected_on_their_principal_components():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(200, 2)) * [5, 1]
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0][:2]
    figure = plots.plot_latent_map(plane @ rotation + 7, plane[:, 0], target_name="value")
    points = np.asarray(figure.axes[0].collections[0].get_offsets())
    assert abs(np.corrcoef(points[:, 0], plane[:, 0])[0, 1]) > 0.99
    assert points.var(0).sum() == pytest.approx(plane.var(0).sum())
    unprojected = plots.plot_latent_map(plane).axes[0]
    assert np.array_equal(unprojected.collections[0].get_offsets(), plane)
    assert unprojected.get_xlabel() == "latent 1"


def test_a_single_row_has_a_place_on_the_map():
    figure = plots.plot_latent_map(np.ones((1, 6)), np.zeros(1, np.int64), class_names=["a", "b"])
    assert np.asarray(figure.axes[0].collections[0].get_offsets()).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    "names", [["FALSE", "TRUE"], ["negative", "positive", "unknown"], list("0123456789")]
)
def test_names_of_classes_that_lie_close_together_stand_beside_each_other_on_the_map(names):
    rng = np.random.default_rng(0)
    classes = np.arange(300) % len(names)
    points = 0.001 * rng.normal(size=(300, 2))
    points[:, 0] += 0.01 * classes
    points[:2] = [[-5, -5], [5, 5]]  # so that all others are near each other
    figure = plots.plot_latent_map(points, classes, class_names=names)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == len(names)
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def test_of_very_many_inputs_those_of_the_largest_weights_are_shown():
    weights = np.random.default_rng(0).normal(size=(2000, 4)) * np.arange(1, 2001)[:, None]
    names = [f"gene_{k}" for k in range(2000)]
    figure = plots.plot_features(weights, feature_names=names)
    strongest = np.argsort(-np.linalg.norm(weights, axis=1))[:60]
    image = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(image, weights[np.sort(strongest)])
    assert "the 60 of 2,000 inputs with the largest weights" in " ".join(figure.get_suptitle().split())
    few = plots.plot_features(weights[:60], feature_names=names[:60])
    np.testing.assert_array_equal(few.axes[0].images[0].get_array(), weights[:60])


def test_a_logarithmic_heat_map_leaves_zeros_white():
    figure = plots.plot_heat_map([[1e-5, 0.0], [1.0, 10.0]], ["a", "b"], ["c", "d"], logarithmic=True)
    assert figure.axes[0].images[0].get_array().mask.tolist() == [[False, True], [False, False]]
    assert len(figure.axes[0].texts) == 3


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (lambda: plots.plot_samples(np.zeros((2, 10)), SHAPE), "no images of"),
        (lambda: plots.plot_images(np.zeros((2, 784)), SHAPE, captions=["a"]), "1 captions"),
        (lambda: plots.plot_heat_map(np.zeros((2, 2)), ["a"], ["b"]), "names do not fit"),
        (lambda: plots.plot_latent_map(np.zeros((5, 1))), "at least two columns"),
        (lambda: plots.plot_learning_curves({"layer 1": []}), "every history is empty"),
        (lambda: plots.plot_label_efficiency({}), "no errors"),
        (lambda: plots.plot_importances([]), "no importances"),
    ],
)
def test_wrong_input_gets_a_message(plot, message):
    with pytest.raises(ValueError, match=message):
        plot()


def test_a_figure_is_saved_as_matplotlib_saves_it(tmp_path):
    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    axes.set_title("a title")
    figure.savefig(tmp_path / "once.png", pil_kwargs={"compress_level": 3})
    Figure.savefig(figure, tmp_path / "twice.png")
    pixels = [np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")) for name in ("once", "twice")]
    np.testing.assert_array_equal(*pixels)
    figure.savefig(tmp_path / "lines.svg")
    assert "<svg" in (tmp_path / "lines.svg").read_text()


@pytest.mark.parametrize(
    "names", [("$$", "50% \\alpha {x}"), ("$a^2$", "<b>high</b>"), ("$\\frac$", "a_b^2")]
)
def test_the_names_of_classes_are_drawn_as_they_stand(names):
    figure = plots.plot_confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]), names)
    drawn = [text for text, _ in texts(figure)]
    assert set(names) <= set(drawn)
    assert not any(text.get_parse_math() for text in figure.findobj(Text))


def test_a_logarithmic_axis_has_powers_of_ten_without_a_formula():
    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.plot([0.01, 1000], [1, 2])
    axes.set_xscale("log")
    drawn = [text for text, _ in texts(figure)]
    assert {"10⁻²", "10⁰", "10³"} <= set(drawn)
    assert not any("$" in text for text in drawn)


def test_a_heat_map_of_many_rows_has_no_numbers_in_its_cells():
    def written(n):
        names = [str(k) for k in range(n)]
        return len(plots.plot_heat_map(np.ones((n, 2)), names, ["a", "b"], show_numbers=True).axes[0].texts)

    assert written(60) == 120
    assert written(61) == 0


@pytest.mark.parametrize("count", [1, 4, 64])
def test_a_long_title_has_lines_that_fit_above_its_images(count):
    title = "Samples of the deep Boltzmann machine, 200 Gibbs steps from training rows"
    figure = plots.plot_samples(np.zeros((count, 784)), (28, 28), title=title)
    short = plots.plot_samples(np.zeros((count, 784)), (28, 28), title="Samples of the net")
    assert figure.get_figwidth() == short.get_figwidth()
    figure.canvas.draw()
    shown = next(text for text in figure.findobj(Text) if text.get_text().split() == title.split())
    extent = shown.get_window_extent()
    assert extent.x0 >= 0
    assert extent.x1 <= figure.bbox.width
    assert extent.y0 >= figure.axes[0].get_window_extent().y1


def test_points_of_a_grid_are_named_once_below_it():
    figure = plots.plot_scatter_grid({"a": np.eye(2), "b": np.eye(2)}, np.eye(2))
    (below,) = figure.legends
    assert [text.get_text() for text in below.get_texts()] == ["real points", "generated points"]
