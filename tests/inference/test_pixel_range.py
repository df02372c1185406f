import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.reading import ChunkedReader
from layerwise.data.sources import Images
from layerwise.inference import (
    ModelManifest,
    StreamedPredictions,
    evaluate_chunks,
    load_trained_model,
    save_trained_model,
)
from layerwise.models import MLP, MLPConfig
from layerwise.utils import torch_rng


def images(n=60):
    rng = np.random.default_rng(0)
    return Images(rng.integers(0, 256, (n, 4, 4)).astype(np.uint8), np.arange(n) % 2)


def model(folder, raw, **problem):
    problem = Problem(name="t", task="multiclass", **problem)
    preprocessor = fit_preprocessor(
        raw, split_raw(raw, problem, SplitSettings(), 0), problem, PreprocessingSettings(), 0
    )
    network = MLP(MLPConfig(n_inputs=16, n_outputs=2), torch_rng(0, "w")).eval()
    save_trained_model(folder, network, preprocessor, ModelManifest(problem="t"))
    return load_trained_model(folder)


def test_a_file_of_images_that_are_scaled_already_is_refused_at_every_door(tmp_path):
    raw = images()
    trained = model(tmp_path / "model", raw)
    np.savez(tmp_path / "scaled.npz", images=(raw.pixels / 255).astype(np.float32), labels=raw.labels)
    reader = ChunkedReader(tmp_path / "scaled.npz", chunk_rows=20)
    with pytest.raises(DataError, match=r"scaled to \[0, 1\] already"):
        list(StreamedPredictions(trained, reader))
    with pytest.raises(DataError, match=r"scaled to \[0, 1\] already"):
        evaluate_chunks(trained, reader)
    names = list(trained.columns.feature_names)
    with pytest.raises(DataError, match=r"scaled to \[0, 1\] already"):
        trained.predict(pd.DataFrame(raw.pixels.reshape(-1, 16) / 255, columns=names))


def test_a_dark_image_among_others_is_predicted(tmp_path):
    raw = images()
    trained = model(tmp_path / "model", raw)
    pixels = raw.pixels.reshape(-1, 16).astype(float)
    pixels[3] = 1
    assert len(trained.predict(pd.DataFrame(pixels, columns=list(trained.columns.feature_names)))) == 60


def test_a_model_of_scaled_images_answers_as_one_of_unscaled_ones(tmp_path):
    raw = images()
    scaled = Images((raw.pixels / 255).astype(np.float32), raw.labels)
    plain = model(tmp_path / "plain", raw)
    other = model(tmp_path / "scaled", scaled, reading={"pixel_range": [0, 1]})
    names = list(plain.columns.feature_names)
    found = [
        each.predict(pd.DataFrame(rows.pixels.reshape(-1, 16), columns=names).astype(float))
        for each, rows in ((plain, raw), (other, scaled))
    ]
    pd.testing.assert_frame_equal(found[0], found[1], rtol=1e-4)
    with pytest.raises(DataError, match="not a number from 0 to 1"):
        other.predict(pd.DataFrame(raw.pixels.reshape(-1, 16), columns=names).astype(float))
