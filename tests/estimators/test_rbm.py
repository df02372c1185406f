import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from layerwise.estimators import RBMTransformer
from layerwise.models.rbm import log_pseudo_likelihood
from layerwise.utils import UserError


@parametrize_with_checks(
    [RBMTransformer(n_components=4, n_iter=2), RBMTransformer(4, n_iter=1, chain="persistent")]
)
def test_scikit_learns_own_checks_pass(estimator, check):
    check(estimator)


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
