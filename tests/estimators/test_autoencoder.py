"""Autoencoders as transformer and detector: what they learn is what the pipeline `autoencoder` learns."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import layerwise
from layerwise.data import PreprocessingSettings, Problem, Split
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.estimators import AutoencoderDetector, AutoencoderTransformer
from layerwise.parameters.sizing import size_autoencoder
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.utils import UserError, torch_rng


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True, as_frame=True)[0]


def held_out(n, seed=0):
    """The rows that an estimator without targets holds out."""
    from layerwise.data import RowKeys, SplitSettings, split_rest, split_seed

    settings = SplitSettings()
    return split_rest(np.arange(n), None, settings, split_seed(settings, seed), RowKeys())


def test_the_network_has_the_weights_that_the_pipelines_functions_give_it(iris):
    estimator = AutoencoderTransformer(2, epochs=4, random_state=0).fit(iris)
    training, validation = held_out(len(iris))
    split = Split(training=training, validation=validation, test=[])
    problem = Problem(name="same", task="regression")
    preprocessor = fit_preprocessor(iris, split, problem, PreprocessingSettings(), 0)
    rows, others, _ = preprocess_rows(iris, split, preprocessor)
    settings = AutoencoderSettings(latent_size=2, epochs=4, batch_size=None)
    settings = size_autoencoder(preprocessor.data_spec, rows, settings)
    network = build_autoencoder(settings, preprocessor.data_spec, torch_rng(0, "autoencoder"))
    train_autoencoder(network, rows, others, preprocessor.data_spec, settings, 0)
    for name, values in network.state_dict().items():
        torch.testing.assert_close(estimator.network_.state_dict()[name], values, rtol=0, atol=0)


def test_latents_come_as_a_frame_and_rows_are_reconstructed_in_their_units(iris):
    table = iris.assign(kind=np.repeat(["a", "b", "c"], 50))
    autoencoder = AutoencoderTransformer(4, epochs=60, random_state=0).set_output(transform="pandas")
    latents = autoencoder.fit_transform(table)
    assert list(latents) == [f"autoencodertransformer{k}" for k in range(4)]
    found = autoencoder.reconstruct(table)
    assert list(found) == list(table)
    assert found.dtypes.equals(table.dtypes)
    assert (found["kind"] == table["kind"]).mean() > 0.9
    assert np.corrcoef(found.iloc[:, 2], table.iloc[:, 2])[0, 1] > 0.9


def test_images_are_reconstructed_in_their_pixels_and_encoded_for_a_classifier():
    x, y = load_digits(return_X_y=True)
    autoencoder = AutoencoderTransformer(20, epochs=15, image_shape=(8, 8), random_state=0)
    steps = make_pipeline(autoencoder, LogisticRegression(max_iter=1000)).fit(x[:800] / 16, y[:800])
    assert steps.score(x[800:] / 16, y[800:]) > 0.75
    found = autoencoder.reconstruct(x[:50] / 16)
    assert found.shape == (50, 64)
    assert np.square(found - x[:50] / 16).mean() < 0.5 * (x[:50] / 16).var(0).mean()


def test_scores_are_log_densities_and_contamination_is_the_fraction_below_the_offset(iris):
    detector = AutoencoderDetector(0.2, epochs=10, random_state=0).fit(iris)
    inputs = detector.model_.inputs(iris)
    expected = detector.model_.parts.reference.density.scores(detector.network_, inputs).double().numpy()
    np.testing.assert_allclose(-detector.score_samples(iris), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        detector.decision_function(iris), detector.score_samples(iris) - detector.offset_, rtol=0
    )
    assert (detector.predict(iris) == -1).sum() == 30
    assert (clone(detector).fit_predict(iris) == detector.predict(iris)).all()


def test_rows_that_break_the_columns_relations_are_found():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(600, 1))
    normal = z @ [[1, -1, 0.5, 2]] + 0.1 * rng.normal(size=(600, 4))
    broken = rng.permuted(normal[:100], axis=0)  # each column alone looks normal
    detector = AutoencoderDetector(latent_size=1, epochs=30, random_state=0).fit(normal[100:])
    scores = -detector.score_samples(np.concatenate([normal[:100], broken]))
    assert roc_auc_score(np.repeat([0, 1], 100), scores) > 0.95


def test_a_saved_detector_decides_the_same_and_is_a_model_that_scores(iris, tmp_path):
    one = AutoencoderDetector(0.05, epochs=5, random_state=0).fit(iris)
    two = AutoencoderDetector.load(one.save(tmp_path / "model"))
    assert two.get_params() == one.get_params()
    np.testing.assert_array_equal(two.decision_function(iris), one.decision_function(iris))
    answers = layerwise.load(str(tmp_path / "model")).score(iris)
    np.testing.assert_allclose(answers["anomaly_score"], -one.score_samples(iris), rtol=1e-6)
    encoded = layerwise.load(str(tmp_path / "model")).encode(iris)
    transformer = AutoencoderTransformer.load
    with pytest.raises(UserError, match="holds AutoencoderDetector, not AutoencoderTransformer"):
        transformer(tmp_path / "model")
    assert len(encoded) == len(iris)


def test_a_grid_search_takes_the_network_that_reconstructs_best(iris):
    search = GridSearchCV(
        AutoencoderTransformer(2, epochs=8, random_state=0), {"learning_rate": [1e-6, 0.01]}, cv=2
    ).fit(iris)
    assert search.best_params_ == {"learning_rate": 0.01}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"contamination": 0.7}, "contamination: .*less than or equal to 0.5"),
        ({"variant": "denoisig"}, "variant.*denoising"),
        ({"beta": 2.0}, "variant compression has no use for beta"),
        ({"latent_size": 9}, "a latent_size of 9 is no bottleneck for 4 inputs"),
    ],
)
def test_wrong_arguments_are_named(iris, given, message):
    with pytest.raises(UserError, match=message):
        AutoencoderDetector(**given).fit(iris)


def test_a_frame_of_other_columns_is_refused(iris):
    detector = AutoencoderDetector(epochs=1, random_state=0).fit(iris)
    with pytest.raises(ValueError, match="feature names should match"):
        detector.predict(pd.DataFrame(np.zeros((2, 4)), columns=list("abcd")))
