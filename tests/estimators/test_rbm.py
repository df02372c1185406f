import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import tables
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from layerwise.estimators import RBMTransformer
from layerwise.models.rbm import log_pseudo_likelihood
from layerwise.utils import UserError


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y


def test_features_in_a_pipeline_beat_raw_pixels_for_a_weak_classifier(digits):
    x, y = digits
    rbm = RBMTransformer(64, visible="bernoulli", learning_rate=0.1, n_iter=20, batch_size=20, random_state=0)
    scores = [
        make_pipeline(*steps, LogisticRegression(C=0.01, max_iter=500))
        .fit(x[:1000], y[:1000])
        .score(x[1000:], y[1000:])
        for steps in ([rbm], [])
    ]
    assert scores[0] > scores[1]
    assert scores[0] > 0.85


def test_scores_are_the_exact_pseudo_likelihood_and_rise_over_training(digits):
    x = (digits[0] > 0.5).astype(np.float32)
    settings = {"visible": "bernoulli", "learning_rate": 0.1, "random_state": 0}
    short, longer = (RBMTransformer(20, n_iter=n, **settings).fit(x) for n in (1, 10))
    assert longer.score_samples(x[:100]).mean() > short.score_samples(x[:100]).mean()
    expected = log_pseudo_likelihood(longer.rbm_, torch.from_numpy(x[:5]))
    np.testing.assert_allclose(longer.score_samples(x[:5]), expected, rtol=1e-5)


def test_partial_fit_goes_on_and_a_pickled_rbm_goes_on_the_same_way(digits):
    x = digits[0]
    one = RBMTransformer(8, visible="bernoulli", learning_rate=0.1, chain="persistent", random_state=3)
    for part in np.array_split(x[:300], 3):
        one.partial_fit(part)
    before = one.components_.copy()
    two = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(two.transform(x[:5]), one.transform(x[:5]))
    for rbm in (one, two):
        rbm.partial_fit(x[300:330])
    assert not np.array_equal(before, one.components_)
    np.testing.assert_array_equal(one.components_, two.components_)


def test_the_same_random_state_gives_the_same_bits_and_clones_start_anew(digits):
    x = digits[0]
    first = RBMTransformer(8, visible="bernoulli", n_iter=2, random_state=1).fit(x)
    again = clone(first).fit(x)
    np.testing.assert_array_equal(first.components_, again.components_)
    assert first.components_.dtype == np.float32
    assert not hasattr(clone(first), "rbm_")
    assert list(first.get_feature_names_out()[:2]) == ["rbmtransformer0", "rbmtransformer1"]


def test_rows_outside_the_unit_interval_are_refused_by_bernoulli_units():
    with pytest.raises(UserError, match="visible: gaussian"):
        RBMTransformer(2, visible="bernoulli").fit(np.full((20, 3), 7.0))


def test_a_pickled_rbm_goes_on_with_the_momentum_and_the_rate_that_it_had(digits):
    x = digits[0][:200]
    settings = {"final_learning_rate": 0.02, "momentum_epochs": 1, "final_steps": 3}
    one = RBMTransformer(8, visible="bernoulli", n_iter=3, settings=settings, random_state=3).fit(x)
    two = pickle.loads(pickle.dumps(one))
    for rbm in (one, two):
        rbm.partial_fit(x[:50])
    np.testing.assert_array_equal(one.components_, two.components_)
    np.testing.assert_array_equal(one.gibbs(x), two.gibbs(x))


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("kind", [csr_matrix, csc_matrix])
def test_sparse_rows_give_the_bits_of_dense_ones(digits, visible, kind):
    x = np.where(digits[0] > 0.5, digits[0], 0).astype(np.float32)[:300]
    dense, sparse = (
        RBMTransformer(6, visible=visible, n_iter=2, random_state=1).fit(rows) for rows in (x, kind(x))
    )
    np.testing.assert_array_equal(dense.components_, sparse.components_)
    np.testing.assert_array_equal(dense.transform(x), sparse.transform(kind(x)))
    np.testing.assert_array_equal(dense.score_samples(x), sparse.score_samples(kind(x)))
    np.testing.assert_array_equal(
        dense.partial_fit(x[:9]).components_, sparse.partial_fit(kind(x)[:9]).components_
    )


def test_the_score_is_the_mean_pseudo_likelihood_and_a_grid_search_takes_the_highest(digits):
    x = (digits[0] > 0.5).astype(np.float32)[:400]
    search = GridSearchCV(
        RBMTransformer(10, visible="bernoulli", n_iter=5, batch_size=20, random_state=0),
        {"learning_rate": [1e-6, 0.1], "settings": [{}, {"hidden": "nrelu"}]},
        cv=2,
    ).fit(x)
    assert search.best_params_["learning_rate"] == 0.1
    best = search.best_estimator_
    assert search.score(x) == best.score(x) == pytest.approx(float(best.score_samples(x).mean()))


def test_gibbs_steps_reach_the_distribution_of_the_rbm():
    rbm = RBMTransformer(2, visible="bernoulli", n_iter=1, random_state=0).fit(np.eye(3).repeat(4, 0))
    rbm.rbm_.weight.copy_(torch.tensor([[2.0, -1.0], [0.5, 1.5], [-2.0, 0.3]]))
    v = np.zeros((20_000, 3))
    for _ in range(20):
        v = rbm.gibbs(v)
    states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
    p = (-rbm.rbm_.free_energy(states)).softmax(0).numpy()
    frequencies = (v[:, None] == states.numpy()[None]).all(2).mean(0)
    assert (np.abs(frequencies - p) < 5 * np.sqrt(p * (1 - p) / len(v))).all()


def test_every_setting_can_be_reached(digits):
    settings = {
        "hidden": "categorical",
        "hidden_group_size": 4,
        "dropout": 0.5,
        "sparsity_target": 0.2,
        "final_steps": 2,
        "sample_visible": True,
    }
    rbm = RBMTransformer(8, visible="bernoulli", n_iter=1, settings=settings).fit(digits[0][:200])
    assert rbm.rbm_.config.hidden == "categorical"
    assert rbm.rbm_.config.dropout == 0.5
    assert rbm._plan.settings.sparsity_target == 0.2
    assert not RBMTransformer(2, n_iter=1).fit(digits[0][:200]).rbm_.visible_units.log_variance.isnan().any()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "batch_size: .*greater than or equal to 1"),
        ({"n_iter": 0}, "n_iter: .*greater than or equal to 1"),
        ({"n_components": 0}, "n_components: .*greater than or equal to 1"),
        ({"learning_rate": 0}, "learning_rate: .*greater than 0"),
        ({"visible": "softmax"}, "visible is gaussian or bernoulli"),
        ({"settings": {"steps": 2}}, "steps is the argument steps"),
        ({"settings": {"epochs": 2}}, "epochs is the argument n_iter"),
        ({"settings": {"dropuot": 0.5}}, "unknown 'dropuot'; did you mean 'dropout'"),
        ({"settings": {"monitor": "validation/pseudo_likelihood"}}, "unknown 'monitor'"),
        ({"visible": "bernoulli", "settings": {"offset_rate": 0.5}}, "no units are Gaussian"),
        ({"settings": {"chains": 7}}, "wrong arguments: chain: data has no use for chains"),
    ],
)
def test_wrong_arguments_are_named(given, message):
    with pytest.raises(UserError, match=message):
        RBMTransformer(**given).fit(np.random.default_rng(0).normal(size=(30, 3)))


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_a_transformer_that_was_saved_goes_on_to_the_bit(digits, tmp_path, visible):
    x = pd.DataFrame(digits[0][:200], columns=[f"pixel {k}" for k in range(64)])
    settings = {
        "chain": "persistent",
        "settings": {"momentum": 0.5},
        "random_state": np.random.RandomState(3),
    }
    first = RBMTransformer(8, visible=visible, n_iter=2, **settings).fit(x)
    names = {path.name for path in first.save(tmp_path / "kept").iterdir()}
    assert names == {"rbm_transformer.safetensors", "rbm_transformer.json"}
    second = RBMTransformer.load(tmp_path / "kept")
    assert second.get_params() == first.get_params() | {"random_state": None}
    assert second.history_ == first.history_
    assert second.get_feature_names_out().tolist() == first.get_feature_names_out().tolist()
    for each in (first, second):
        each.partial_fit(x)
    np.testing.assert_array_equal(second.transform(x), first.transform(x))
    np.testing.assert_array_equal(second.gibbs(x), first.gibbs(x))
    with pytest.raises(ValueError, match="feature names"):
        second.transform(x.rename(columns={"pixel 0": "other"}))


def test_a_folder_without_a_transformer_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no RBMTransformer that can be read"):
        RBMTransformer.load(tmp_path)


def mixed_table():
    return tables.table().drop(columns=["left", "a", "b", "cost"])


def test_a_table_is_preprocessed_as_the_pipelines_do():
    frame, given = mixed_table(), {"n_iter": 2, "random_state": 0}
    found = RBMTransformer(6, settings={"preprocessing": {"scaling": "quantile"}}, **given).fit(frame)
    inputs = found.preprocessor_.inputs(frame)
    # Empty cells have an indicator, categories dummies, dates parts.
    assert inputs.shape[1] > frame.shape[1]
    assert found.preprocessor_.settings.scaling == "quantile"
    same = RBMTransformer(6, **given).fit(inputs)
    np.testing.assert_array_equal(found.components_, same.components_)
    np.testing.assert_array_equal(found.transform(frame[::-1]), same.transform(inputs[::-1]))
    drawn = found.gibbs(frame)
    assert set(drawn["city"]) <= {"rome", "oslo"}
    # Numbers are taken as they are, unless they are asked to be preprocessed.
    numbers = frame[["age", "score"]]
    assert RBMTransformer(6, **given).fit(numbers).preprocessor_ is None
    scaled = RBMTransformer(6, preprocess=True, **given).fit(numbers)
    np.testing.assert_allclose(scaled.preprocessor_.inputs(numbers).std(0), 1, rtol=1e-3)


def test_bernoulli_units_have_a_table_scaled_to_the_unit_interval():
    frame = mixed_table()
    found = RBMTransformer(4, visible="bernoulli", n_iter=1, random_state=0).fit(frame)
    inputs = found.preprocessor_.inputs(frame)
    assert (inputs.min(), inputs.max()) == (0, 1)
    assert np.isfinite(found.score(frame))


def test_a_tables_transformer_is_saved_with_its_preprocessing(tmp_path):
    frame = mixed_table()
    first = RBMTransformer(4, n_iter=1, random_state=0).fit(frame)
    second = RBMTransformer.load(first.save(tmp_path / "kept"))
    third = pickle.loads(pickle.dumps(first))
    for each in (second, third):
        np.testing.assert_array_equal(each.transform(frame), first.transform(frame))
    plain = RBMTransformer(4, n_iter=1).fit(frame[["age"]])
    assert RBMTransformer.load(plain.save(tmp_path / "kept")).preprocessor_ is None


def test_a_wrong_setting_of_the_preprocessing_is_named():
    with pytest.raises(UserError, match=r"settings: preprocessing: .*'scalin'; did you mean 'scaling'"):
        RBMTransformer(settings={"preprocessing": {"scalin": "none"}}).fit(mixed_table())
