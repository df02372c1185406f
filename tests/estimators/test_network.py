"""Networks as classifier and regressor: what they learn is what the pipeline `mlp` learns."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import layerwise
from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw, split_seed
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.estimators import NetworkClassifier, NetworkRegressor
from layerwise.parameters.sizing import size_finetuning, size_mlp
from layerwise.training.supervised import FinetuningSettings, MLPSettings, fit_network, new_network
from layerwise.utils import UserError

SMALL = {"ensemble_members": 1, "epochs": 3, "random_state": 0}


def customers(n=200):
    """A table with numbers, categories, dates and empty cells, whose target depends on two of them."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.normal(40, 12, n).round(),
            "country": rng.choice(["France", "Spain", "Germany"], n),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "active": rng.random(n) < 0.5,
        }
    )
    bought = (table["age"] > 45) ^ (table["country"] == "Spain")
    table.loc[rng.random(n) < 0.1, "age"] = np.nan
    return table, bought.map({True: "yes", False: "no"}).rename("bought")


def pipelines_network(table, problem, mlp, finetuning, seed):
    """What the nodes of the pipeline `mlp` make of a table, and its test rows."""
    settings = PreprocessingSettings()
    split = split_raw(table, problem, SplitSettings(), seed)
    preprocessor = fit_preprocessor(table, split, problem, settings, seed)
    training, validation, test = preprocess_rows(table, split, preprocessor)
    columns = preprocessor.data_spec
    mlp = size_mlp(columns, training, mlp, finetuning)
    finetuning = size_finetuning(columns, training, training, finetuning)
    network = new_network(mlp, columns, finetuning, seed, training)
    fit_network(network, training, validation, columns, finetuning, seed, silent=True)
    return network, test


def open_settings(kind, **given):
    return kind(**dict.fromkeys(kind.names_by_rule()) | given)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_network_has_the_weights_that_the_pipeline_gives_it(task):
    table, target = customers()
    if task == "regression":
        table, target = load_diabetes(return_X_y=True, as_frame=True)
    labels = target if task == "binary" else None
    seed = 3
    rest, test = train_test_split(
        np.arange(len(table)), test_size=0.2, random_state=split_seed(SplitSettings(), seed), stratify=labels
    )
    kind = NetworkClassifier if task == "binary" else NetworkRegressor
    estimator = kind(epochs=2, random_state=seed).fit(table.iloc[rest], target.iloc[rest])

    problem = Problem(name="same", task=task, target=target.name, allow_leak=True)
    settings = open_settings(MLPSettings), open_settings(FinetuningSettings, epochs=2)
    network, test_rows = pipelines_network(table.assign(**{target.name: target}), problem, *settings, seed)

    found = estimator.network_.state_dict()
    assert found.keys() == network.state_dict().keys()
    for name, values in network.state_dict().items():
        torch.testing.assert_close(found[name], values, rtol=0, atol=0)
    np.testing.assert_array_equal(
        estimator.model_.inputs(table.iloc[test].reset_index(drop=True)).numpy(), test_rows.inputs.numpy()
    )


def test_a_frame_with_categories_dates_and_empty_cells_is_learnt():
    table, bought = customers(400)
    classifier = NetworkClassifier(epochs=30, random_state=0).fit(table[:300], bought[:300])
    assert list(classifier.classes_) == ["no", "yes"]
    assert classifier.score(table[300:], bought[300:]) > 0.8
    probabilities = classifier.predict_proba(table[300:])
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_array_equal(
        classifier.classes_[(probabilities[:, 1] > 0.5) * 1], classifier.predict(table[300:])
    )


def test_arrays_are_frames_of_the_same_numbers():
    x, y = load_iris(return_X_y=True)
    array = NetworkClassifier((8,), **SMALL).fit(x, y)
    frame = NetworkClassifier((8,), **SMALL).fit(pd.DataFrame(x).add_prefix("x"), y)
    np.testing.assert_array_equal(
        array.predict_proba(x), frame.predict_proba(pd.DataFrame(x).add_prefix("x"))
    )


def test_images_keep_their_pixels():
    x, y = load_digits(return_X_y=True)
    classifier = NetworkClassifier((64,), epochs=10, learning_rate=0.01, image_shape=(8, 8), random_state=0)
    classifier.fit(x[:1000] / 16, y[:1000])
    assert classifier.score(x[1000:] / 16, y[1000:]) > 0.85
    assert classifier.model_.columns.image_shape == (8, 8)
    np.testing.assert_array_equal(
        classifier.model_.inputs((x[:3] / 16).reshape(3, 8, 8)).numpy(), (x[:3] / 16).astype(np.float32)
    )
    with pytest.raises(DataError, match="image_shape is 8 x 9, and the rows have 64 columns"):
        clone(classifier).set_params(image_shape=(8, 9)).fit(x, y)


def test_predictions_of_a_regression_are_in_the_units_of_its_targets():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = np.column_stack([1000 + 100 * x[:, 0], -5 + 0.1 * x[:, 1]])
    regressor = NetworkRegressor((32,), epochs=60, learning_rate=0.01, random_state=0).fit(x, y)
    assert regressor.predict(x).shape == (300, 2)
    assert regressor.score(x, y) > 0.9
    assert NetworkRegressor((4,), **SMALL).fit(x, y[:, 0]).predict(x).shape == (300,)


def test_a_grid_search_chooses_settings_of_a_pipeline_and_nested_ones():
    x, y = load_iris(return_X_y=True)
    search = GridSearchCV(
        make_pipeline(
            StandardScaler(), NetworkClassifier((16,), ensemble_members=1, epochs=15, random_state=0)
        ),
        {
            "networkclassifier__learning_rate": [1e-5, 0.03],
            "networkclassifier__settings": [{"finetuning": {"l2": 0.1}}],
        },
        cv=2,
    ).fit(x, y)
    assert search.best_params_["networkclassifier__learning_rate"] == 0.03
    assert search.best_estimator_[-1].score(StandardScaler().fit_transform(x), y) > 0.8


def test_weights_count_in_the_loss():
    x = np.zeros((200, 2))
    x[:, 0] = np.tile([0, 1], 100)
    y = np.repeat([0, 1], 100)  # says nothing: both values of x are in both classes
    weights = np.where(y == 1, 9.0, 1.0)
    classifier = NetworkClassifier((4,), ensemble_members=1, epochs=40, learning_rate=0.03, random_state=0)
    weighted = clone(classifier).fit(x, y, sample_weight=weights).predict_proba(x)[:, 1]
    np.testing.assert_allclose(weighted, 0.9, atol=0.06)
    np.testing.assert_allclose(classifier.fit(x, y).predict_proba(x)[:, 1], 0.5, atol=0.06)


@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_a_saved_estimator_predicts_the_same_bits_and_is_a_model_that_others_read(kind, tmp_path):
    table, bought = customers()
    target = bought if kind is NetworkClassifier else table["age"].fillna(0).rename("years")
    table = table[["country", "joined", "active"]]
    one = kind((8,), settings={"finetuning": {"l2": 0.1}}, **SMALL).fit(table, target)
    two = kind.load(one.save(tmp_path / "model"))
    assert two.get_params() == one.get_params()
    assert two.history_ == one.history_
    np.testing.assert_array_equal(two.predict(table), one.predict(table))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).predict(table), one.predict(table))
    assert not list(tmp_path.rglob("*.pkl"))
    asked = layerwise.load(str(tmp_path / "model")).predict(table)["prediction"]
    if kind is NetworkClassifier:
        assert list(asked) == list(one.predict(table))
    else:
        np.testing.assert_allclose(asked, one.predict(table), rtol=1e-6)


def test_a_folder_of_another_estimator_or_with_another_byte_is_refused(tmp_path):
    x, y = load_iris(return_X_y=True)
    NetworkClassifier((4,), **SMALL).fit(x, y).save(tmp_path)
    with pytest.raises(UserError, match="holds NetworkClassifier, not NetworkRegressor"):
        NetworkRegressor.load(tmp_path)
    path = tmp_path / "estimator.json"
    path.write_text(path.read_text().replace('"epochs": 3', '"epochs": 4'))
    with pytest.raises(UserError, match=r"estimator\.json was changed"):
        NetworkClassifier.load(tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "wrong arguments: epochs: Input should be greater than or equal to 1"),
        ({"learning_rate": 0}, "learning_rate: .*greater than 0"),
        ({"validation_fraction": 1.0}, "validation_fraction: .*less than 1"),
        ({"activation": "rleu"}, "activation.*: Input should be 'sigmoid', 'tanh'"),
        ({"settings": {"finetunning": {}}}, "unknown 'finetunning'; did you mean 'finetuning'"),
        (
            {"settings": {"finetuning": {"label_smothing": 1}}},
            "finetuning: unknown parameter 'label_smothing'; did you mean 'label_smoothing'",
        ),
        ({"settings": {"finetuning": {"epochs": 3}}}, "finetuning.epochs is the argument epochs"),
        ({"settings": {"finetuning": {"l2": -1}}}, r"settings: finetuning\.l2: .*greater than or equal to 0"),
        ({"settings": [1]}, "settings: a dict of mlp, finetuning"),
        ({"optimizer": "sgd", "weight_decay": 0.1}, "weight_decay"),
    ],
)
def test_wrong_arguments_are_named_when_it_is_fitted(given, message):
    x, y = load_iris(return_X_y=True)
    with pytest.raises(UserError, match=message):
        NetworkClassifier(**given).fit(x, y)


def test_a_class_with_one_row_is_learnt_from(recwarn):
    x, y = load_iris(return_X_y=True)
    y = np.where(np.arange(150) == 7, 9, y)
    classifier = NetworkClassifier((4,), **SMALL).fit(x, y)
    assert list(classifier.classes_) == [0, 1, 2, 9]
    assert classifier.predict_proba(x).shape == (150, 4)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_row_may_have_several_labels_as_scikit_learns_own_networks_have_them(sparse, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = (X > 0).astype(int)
    given = csr_matrix(y) if sparse else pd.DataFrame(y, columns=["warm", "wet", "x0"])
    settings = {"epochs": 30, "ensemble_members": 1, "learning_rate": 0.02, "random_state": 0}
    classifier = NetworkClassifier((16,), **settings).fit(X, given)
    peer = MLPClassifier((16,), max_iter=5, random_state=0).fit(X, y)
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert classifier.predict(X).shape == classifier.predict_proba(X).shape == peer.predict_proba(X).shape
    assert (classifier.predict(X) == y).mean(0).min() > 0.95
    assert classifier.score(X, y) == (classifier.predict(X) == y).all(1).mean()
    classifier.save(tmp_path)
    np.testing.assert_array_equal(NetworkClassifier.load(tmp_path).predict(X), classifier.predict(X))
    names = ["label_0", "label_1", "label_2"] if sparse else ["warm", "wet", "x0_"]
    assert list(classifier.model_.columns.target_names) == names


def test_several_columns_of_other_classes_or_for_images_are_refused_with_what_to_do():
    X, y = np.zeros((6, 4)), np.array([[0, 2]] * 3 + [[1, 0]] * 3)
    with pytest.raises(
        DataError, match=r"y has 2 columns, which have to hold 0 and 1 alone.*MultiOutputClassifier"
    ):
        NetworkClassifier().fit(X, y)
    with pytest.raises(DataError, match="a network of images has no labels beside each other"):
        NetworkClassifier(image_shape=(2, 2)).fit(X, y > 0)
