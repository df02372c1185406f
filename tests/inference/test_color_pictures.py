"""Pictures whose class is told by color alone, through training and at every door of a trained model."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from layerwise.data import DataError, PreprocessingSettings, Problem, Split, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.reading import ChunkedReader
from layerwise.data.reading.loaded_rows import LoadedRows
from layerwise.data.sources import Images
from layerwise.datasets import ImageFiles
from layerwise.inference import (
    AskedModel,
    ModelManifest,
    StreamedPredictions,
    compare_models,
    evaluate_chunks,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.server import ServedModel
from layerwise.inference.serving import handle_request
from layerwise.models import MLP, MLPConfig
from layerwise.training.supervised import FinetuningSettings, finetune
from layerwise.utils import torch_rng

HEIGHT, WIDTH, N = 6, 5, 120
CLASSES = ("green", "red")
# By which red and green of equal luma differ; blue is noise.
RED, GREEN = (200, 20, 0), (0, 122, 0)


def write_pictures(folder):
    """Noise around red or around a green of the same luma, a folder for each class."""
    rng = np.random.default_rng(0)
    for k in range(N):
        own = np.array((GREEN, RED)[k % 2]) * rng.uniform(0.4, 1.0)
        pixels = own + rng.normal(0, 8, (HEIGHT, WIDTH, 3))
        path = folder / CLASSES[k % 2] / f"{k:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


def train(images, folder):
    """Return a model, and its accuracy on the test rows."""
    problem = Problem(name="t", task="multiclass")
    split = split_raw(images, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(images, split, problem, PreprocessingSettings(), 0)
    training, validation, test = preprocess_rows(images, split, preprocessor)
    columns = preprocessor.data_spec
    network = MLP(MLPConfig(n_inputs=columns.n_inputs, n_outputs=2, hidden_sizes=(8,)), torch_rng(0, "w"))
    settings = FinetuningSettings(epochs=40, batch_size=20, learning_rate=0.01)
    finetune(network, columns.task, training, validation, settings, 0, silent=True)
    save_trained_model(folder, network.eval(), preprocessor, ModelManifest(problem="t"))
    model = load_trained_model(folder)
    return model, float((network(test.inputs).argmax(1) == test.targets).float().mean())


@pytest.fixture(scope="module")
def in_color(tmp_path_factory):
    folder = tmp_path_factory.mktemp("color")
    write_pictures(folder / "raw")
    images = ImageFiles(path=str(folder), images={"name": "raw"}).load()
    return folder, images, *train(images, folder / "model")


def probabilities(model, reader):
    text = "".join(StreamedPredictions(model, reader))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["error"] for row in rows} == {""}
    return [float(row["probability_red"]) for row in rows]


def test_colors_tell_classes_that_gray_cannot(in_color):
    folder, images, _, accuracy = in_color
    assert images.pixels.shape == (N, HEIGHT, WIDTH, 3)
    gray = ImageFiles(path=str(folder), images={"name": "raw"}, color="gray").load()
    assert gray.pixels.shape == (N, HEIGHT, WIDTH)
    assert accuracy > 0.95
    assert train(gray, folder / "gray")[1] < 0.75


def test_every_door_answers_the_same_bits(in_color, tmp_path):
    folder, images, model, _ = in_color
    pixels = images.pixels
    np.savez(tmp_path / "last.npz", images=pixels)
    np.save(tmp_path / "first.npy", np.moveaxis(pixels, -1, 1))
    np.save(tmp_path / "flat.npy", pixels.reshape(N, -1))
    names = list(model.columns.feature_names)
    assert names[:4] == ["pixel_0_0_red", "pixel_0_0_green", "pixel_0_0_blue", "pixel_0_1_red"]
    frame = pd.DataFrame(pixels.reshape(N, -1), columns=names)
    frame.to_csv(tmp_path / "table.csv", index=False)
    expected = probabilities(model, ChunkedReader(folder / "raw", chunk_rows=50))
    found = {
        name: probabilities(model, ChunkedReader(tmp_path / name, chunk_rows=50))
        for name in ("last.npz", "first.npy", "flat.npy", "table.csv")
    }
    found["entry"] = probabilities(model, LoadedRows(images, "raw"))
    found["pyfunc"] = ServedModel(model).predict(frame)["probability_red"].tolist()
    for name, array in (("array", pixels), ("array, colors first", np.moveaxis(pixels, -1, 1))):
        found[name] = AskedModel(model).predict(array)["probability_red"].tolist()
    bodies = {
        "http": pixels,
        "http, colors first": np.moveaxis(pixels, -1, 1),
        "http, flat": frame.to_numpy(),
    }
    for name, array in bodies.items():
        found[name] = [row["probability_red"] for row in respond(model, array.tolist())]
    for name, answers in found.items():
        assert answers == expected, name
    assert respond(model, pixels[3].tolist())[0]["probability_red"] == expected[3]


def respond(model, instances):
    text, status, _ = handle_request(model, json.dumps({"instances": instances}), "application/json")
    assert status == 200, text
    return json.loads(text)["predictions"]


def test_a_folder_is_evaluated_by_its_classes(in_color):
    folder, images, model, _ = in_color
    found = evaluate_chunks(model, ChunkedReader(folder / "raw", chunk_rows=50))
    assert found.targets.tolist() == [CLASSES.index(label) for label in images.labels]
    drift = {each.column: each.level for each in found.drift(model.preprocessor.state["summary"])}
    assert list(drift)[:5] == ["brightness", "contrast", "red", "green", "blue"]
    # Other colors of the same brightness are seen as drift in each of them.
    pixels = images.pixels[..., [2, 0, 1]]
    moved = evaluate_chunks(model, LoadedRows(type(images)(pixels, images.labels), "moved"))
    levels = {each.column: each.level for each in moved.drift(model.preprocessor.state["summary"])}
    assert [levels[name] for name in ("brightness", "red", "green", "blue")] == ["stable"] + ["drift"] * 3


def test_gray_pictures_are_gray_in_each_color(in_color, tmp_path):
    _, _, model, _ = in_color
    gray = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    answer = AskedModel(model).predict(np.repeat(gray[None, ..., None], 3, -1))
    assert probabilities(model, ChunkedReader(tmp_path / "gray.png")) == answer["probability_red"].tolist()


def test_a_model_of_gray_pictures_makes_gray_of_colors_as_training_did(in_color, tmp_path):
    folder, images, _, _ = in_color
    gray = ImageFiles(path=str(folder), images={"name": "raw"}, color="gray").load()
    model, _ = train(gray, tmp_path / "gray")
    np.save(tmp_path / "color.npy", images.pixels)
    expected = model.interpret_scores(model.scores(gray.pixels))["probability_red"].tolist()
    assert probabilities(model, ChunkedReader(folder / "raw")) == expected
    # Luma of whole numbers: Pillow's differs by one where its own rounding does.
    from_array = probabilities(model, ChunkedReader(tmp_path / "color.npy"))
    np.testing.assert_allclose(from_array, expected, atol=0.02)


def test_images_of_the_wrong_shape_are_refused_with_the_right_one(in_color):
    _, _, model, _ = in_color
    with pytest.raises(DataError, match="6 x 5 pixels in color"):
        model.preprocessor.inputs(np.zeros((2, HEIGHT, WIDTH)))
    body = json.dumps({"instances": np.zeros((2, HEIGHT, WIDTH)).tolist()})
    text, status, _ = handle_request(model, body, "application/json")
    assert status == 400, text


def test_a_gray_champion_reads_rows_in_color_and_one_in_color_no_gray_rows(in_color, tmp_path):
    folder, images, model, _ = in_color
    gray_images = ImageFiles(path=str(folder), images={"name": "raw"}, color="gray").load()
    gray, _ = train(gray_images, tmp_path / "gray")
    found = compare_models(model, gray, images, same_test_rows=True)
    assert found.difference < 0  # the error
    assert "in color, and these rows are gray" in compare_models(
        gray, model, gray_images, same_test_rows=True
    )


def test_a_picture_of_more_values_than_columns_are_taken_of_a_table_is_answered(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 90, 90, 3), dtype=np.uint8)
    images = Images(pixels, np.arange(6) % 2)
    problem = Problem(name="t", task="multiclass")
    split = Split(training=np.arange(4), validation=np.arange(4, 5), test=np.arange(5, 6))
    preprocessor = fit_preprocessor(images, split, problem, PreprocessingSettings(), 0)
    network = MLP(MLPConfig(n_inputs=24_300, n_outputs=2, hidden_sizes=(2,)), torch_rng(0, "w")).eval()
    save_trained_model(tmp_path / "m", network, preprocessor, ModelManifest(problem="t"))
    model = load_trained_model(tmp_path / "m")
    expected = AskedModel(model).predict(pixels[:1])["probability_0"].tolist()
    assert [row["probability_0"] for row in respond(model, pixels[:1].tolist())] == expected
