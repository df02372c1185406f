"""What networks of color pictures can be asked, at every door."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.sources import Images
from layerwise.evaluation.unsupervised import AnomalyReference
from layerwise.inference import (
    AskedModel,
    ModelManifest,
    ModelParts,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.server import ServedModel
from layerwise.inference.serving import handle_request
from layerwise.models.gan import Generator, GeneratorConfig
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.utils import torch_rng

SHAPE, N = (8, 4, 3), 90


def images():
    """Pictures of one color each, in three colors and noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 3
    own = np.eye(3)[labels][:, None, None] * 180 + 30
    pixels = (own + rng.normal(0, 10, (N, *SHAPE))).clip(0, 255).astype(np.uint8)
    return Images(pixels, labels)


def network_of(kind, columns, training, validation):
    if kind == "rbm":
        return RBM(RBMConfig(n_visible=columns.n_inputs, n_hidden=8), torch_rng(0, "w"))
    if kind == "generator":
        shape = {"image_shape": SHAPE, "network": "dcgan", "channels": 4, "latent_size": 3}
        return Generator(GeneratorConfig(n_outputs=columns.n_inputs, **shape), torch_rng(0, "w"))
    own = {"channels": (4,)} if kind == "convolutional" else {"hidden_sizes": (16,)}
    settings = AutoencoderSettings(
        variant=kind, epochs=30, batch_size=10, latent_size=4, learning_rate=0.01, **own
    )
    network = build_autoencoder(settings, columns, torch_rng(0, "w"))
    train_autoencoder(network, training, validation, columns, settings, 0, silent=True)
    return network


@pytest.fixture(scope="module")
def model_of(tmp_path_factory):
    raw, problem = images(), Problem(name="t", task="multiclass")
    split = split_raw(raw, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(raw, split, problem, PreprocessingSettings(), 0)
    training, validation, _ = preprocess_rows(raw, split, preprocessor)
    columns, folder, found = preprocessor.data_spec, tmp_path_factory.mktemp("models"), {}

    def make(kind):
        if kind not in found:
            network = network_of(kind, columns, training, validation).eval()
            parts = ModelParts()
            if kind != "generator":
                rows = training.inputs, validation.inputs
                parts = ModelParts(reference=AnomalyReference.of(network, *rows, columns))
            manifest = ModelManifest(problem="t")
            save_trained_model(folder / kind, network, preprocessor, manifest, parts=parts)
            found[kind] = load_trained_model(folder / kind)
        return found[kind]

    return make


def test_the_error_picture_has_a_column_for_each_color(model_of):
    answer = AskedModel(model_of("rbm")).score(images().pixels[:2], error_columns=True)
    assert list(answer)[-3:] == [f"error_pixel_7_3_{color}" for color in ("red", "green", "blue")]


def test_a_reconstruction_has_the_colors_of_its_picture(model_of):
    pixels, labels = images().pixels[:9], images().labels[:9]
    found = AskedModel(model_of("convolutional")).reconstruct(pixels).to_numpy().reshape(9, *SHAPE)
    assert (found.mean((1, 2)).argmax(1) == labels).all()


def test_the_error_picture_names_the_color_that_is_wrong(model_of):
    pixels = images().pixels[:1].astype(float)
    pixels[0, 3, 2, 1] = 255.0
    found = AskedModel(model_of("convolutional")).score(pixels, error_columns=True)
    assert found.filter(like="error_").iloc[0].idxmax() == "error_pixel_3_2_green"


def test_an_empty_color_is_filled_and_the_others_stay(model_of):
    model, raw = model_of("convolutional"), images()
    frame = pd.DataFrame(raw.pixels[:3].reshape(3, -1).astype(float), columns=model.columns.feature_names)
    empty = frame.copy()
    empty.loc[:, [f"pixel_3_2_{color}" for color in ("red", "green", "blue")]] = np.nan
    filled = AskedModel(model).impute(empty)
    found = filled[[f"pixel_3_2_{color}" for color in ("red", "green", "blue")]].to_numpy()
    assert found.argmax(1).tolist() == raw.labels[:3].tolist()
    others = [name for name in frame if not name.startswith("pixel_3_2_")]
    pd.testing.assert_frame_equal(filled[others].astype(float), frame[others])


@pytest.mark.parametrize("kind", ["rbm", "variational", "generator"])
def test_the_same_seed_draws_the_same_color_pictures_at_each_door(model_of, kind):
    model, settings = model_of(kind), {"task": "sample", "n": 3, "seed": 4}
    settings |= {} if kind == "variational" or kind == "generator" else {"steps": 3}
    asked = AskedModel(model).sample(n=3, **{k: settings[k] for k in settings if k not in ("task", "n")})
    assert list(asked) == list(model.columns.feature_names)
    served = ServedModel(model).predict(pd.DataFrame(), params=settings)
    text, status, _ = handle_request(model, json.dumps({"params": settings}), "application/json")
    assert status == 200, text
    rows = [[float(record[name]) for name in asked] for record in json.loads(text)["predictions"]]
    assert rows == asked.to_numpy(float).tolist() == served.to_numpy(float).tolist()
    assert 0 <= np.min(rows) <= np.max(rows) <= 255
    assert len(torch.tensor(rows).unique(dim=0)) == 3
