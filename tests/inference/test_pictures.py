"""Pictures and arrays at the doors of a trained model: predict, evaluate and HTTP."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.reading import ChunkedReader
from layerwise.datasets import ImageFiles
from layerwise.inference import (
    AskedModel,
    ModelManifest,
    StreamedPredictions,
    evaluate_chunks,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.serving import handle_request
from layerwise.models import MLP, MLPConfig
from layerwise.utils import torch_rng

CLASSES = ("bars", "dots, round")


def write_pictures(folder, n=40, sizes=((6, 5),)):
    """Gray noise, brighter in the second class, in a folder for each class."""
    rng = np.random.default_rng(0)
    for k in range(n):
        values = rng.integers(0, 128, sizes[k % len(sizes)]) + 120 * (k % 2)
        path = folder / CLASSES[k % 2] / f"{k:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values.astype(np.uint8)).save(path)


def model_of(images, folder, **reading):
    problem = Problem(name="t", task="multiclass", reading=reading)
    split = split_raw(images, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(images, split, problem, PreprocessingSettings(), 0)
    height, width = images.pixels.shape[1:]
    network = MLP(MLPConfig(n_inputs=height * width, n_outputs=2), torch_rng(0, "w")).eval()
    save_trained_model(folder, network, preprocessor, ModelManifest(problem="t"))
    return load_trained_model(folder)


def answers(model, path, **given):
    text = "".join(StreamedPredictions(model, ChunkedReader(path, **given)))
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def of_one_size(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    write_pictures(folder / "raw")
    images = ImageFiles(path=str(folder), images={"name": "raw"}).load()
    return folder, images, model_of(images, folder / "model")


def test_a_folder_is_answered_by_file_name_and_as_its_pictures_are_alone(of_one_size):
    folder, images, model = of_one_size
    found = answers(model, folder / "raw", chunk_rows=7)
    names = sorted(str(p.relative_to(folder / "raw")) for p in (folder / "raw").rglob("*.png"))
    assert [row["file"] for row in found] == names
    scores = model.scores(images.pixels)
    np.testing.assert_allclose([float(row["probability_bars"]) for row in found], scores[:, 0], rtol=1e-5)
    assert {row["error"] for row in found} == {""}
    (alone,) = answers(model, folder / "raw" / names[3])
    assert alone["file"] == "003.png" if names[3].endswith("003.png") else alone["file"] in names[3]
    np.testing.assert_allclose(float(alone["probability_bars"]), scores[3, 0], rtol=1e-5)


def test_a_folder_is_evaluated_by_its_classes(of_one_size):
    folder, images, model = of_one_size
    found = evaluate_chunks(model, ChunkedReader(folder / "raw", chunk_rows=7))
    assert found.n_rejected == 0
    assert found.targets.tolist() == [CLASSES.index(label) for label in images.labels]


def test_pictures_of_one_class_that_their_names_tell_are_evaluated(of_one_size, tmp_path):
    folder, _, model = of_one_size
    for k, path in enumerate(sorted((folder / "raw/bars").glob("*.png"))[:3]):
        (tmp_path / f"bars.{k}.png").write_bytes(path.read_bytes())
    found = evaluate_chunks(model, ChunkedReader(tmp_path))
    assert (found.n_rejected, found.targets.tolist()) == (0, [CLASSES.index("bars")] * 3)


def test_a_broken_picture_and_one_of_another_size_cost_themselves(of_one_size, tmp_path):
    _, _, model = of_one_size
    write_pictures(tmp_path, 4)
    (tmp_path / "bars/000.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "bars/002.png")
    errors = {row["file"]: row["error"] for row in answers(model, tmp_path)}
    assert "cannot be read as a picture" in errors["bars/000.png"]
    assert errors["bars/002.png"] == "the picture has 9 x 9 pixels, not 6 x 5"
    assert [errors[f"dots, round/{name}.png"] for name in ("001", "003")] == ["", ""]


def test_one_dark_picture_is_not_taken_for_a_scaled_one(of_one_size, tmp_path):
    _, _, model = of_one_size
    Image.fromarray(np.ones((6, 5), np.uint8)).save(tmp_path / "dark.png")
    assert answers(model, tmp_path / "dark.png")[0]["error"] == ""
    np.savez(tmp_path / "scaled.npz", images=np.ones((3, 6, 5)))
    with pytest.raises(DataError, match=r"scaled to \[0, 1\] already"):
        answers(model, tmp_path / "scaled.npz")


def test_a_model_of_resized_pictures_resizes_new_ones_alike(tmp_path):
    write_pictures(tmp_path / "raw", sizes=((6, 5), (12, 10), (7, 7)))
    images = ImageFiles(path=str(tmp_path), images={"name": "raw"}, size=[6, 5]).load()
    model = model_of(images, tmp_path / "model")
    found = answers(model, tmp_path / "raw")
    np.testing.assert_allclose(
        [float(row["probability_bars"]) for row in found], model.scores(images.pixels)[:, 0], rtol=1e-5
    )
    assert {row["error"] for row in found} == {""}


def test_arrays_in_the_unit_range_are_read_as_training_read_them_at_each_door(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", images=rng.random((40, 3, 4)).astype(np.float32), labels=np.arange(40) % 2)
    images = ImageFiles(path=str(tmp_path), images={"name": "a.npz"}).load()
    with pytest.raises(DataError, match=r"pixel_range: \[0, 1\]"):
        model_of(images, tmp_path / "model")
    model = model_of(images, tmp_path / "model", pixel_range=(0, 1))
    expected = model.scores(images.pixels)[:, 0]
    found = answers(model, tmp_path / "a.npz")
    np.testing.assert_allclose([float(row["probability_0"]) for row in found], expected, rtol=1e-5)
    # Of three lines an image, so that three images are no image of three lines.
    three = images.pixels[:3]
    for body in (three.tolist(), three.reshape(3, -1).tolist(), three[..., None].tolist()):
        text, status, _ = handle_request(model, json.dumps({"instances": body}), "application/json")
        assert status == 200, text
        given = [row["probability_0"] for row in json.loads(text)["predictions"]]
        np.testing.assert_allclose(given, expected[:3], rtol=1e-5)
    text, status, _ = handle_request(
        model, json.dumps({"inputs": images.pixels[0].tolist()}), "application/json"
    )
    assert (status, len(json.loads(text)["predictions"])) == (200, 1)
    assert len(AskedModel(model).predict(images.pixels[0])) == 1
    wrong = json.dumps({"inputs": images.pixels[0, :2].tolist()})
    assert handle_request(model, wrong, "application/json")[1] == 400


def test_pictures_are_refused_by_the_model_of_a_table(tables, tmp_path, of_one_size):
    folder, _, _ = of_one_size
    with pytest.raises(DataError, match="holds images, and the model reads the rows of a table"):
        StreamedPredictions(tables.saved(tmp_path / "m", tables.table()), ChunkedReader(folder / "raw"))


def test_a_table_of_pixels_may_number_its_columns(of_one_size):
    model = of_one_size[2]
    numbered = pd.DataFrame(np.arange(2 * model.columns.n_inputs).reshape(2, -1) % 256)
    named = numbered.set_axis(list(model.columns.feature_names), axis=1)
    predict = AskedModel(model).predict
    pd.testing.assert_frame_equal(predict(numbered), predict(named))
    pd.testing.assert_frame_equal(predict(numbered), predict(numbered.to_numpy()))
