"""The probability of an anomaly by its score: exact small cases, and scores whose true probability is known."""

import numpy as np
import pytest
import torch
from helpers.seeded import seeded

from layerwise.data import ColumnBlock, DataSpec
from layerwise.evaluation.unsupervised import AnomalyProbability, AnomalyReference, evaluate_known_anomalies
from layerwise.models.autoencoder import Autoencoder, AutoencoderConfig

COLUMNS = DataSpec(
    task="binary",
    n_inputs=2,
    n_outputs=1,
    feature_names=("x", "y"),
    blocks=tuple(ColumnBlock(name=n, kind="real", start=k, stop=k + 1) for k, n in enumerate("xy")),
    target_names=("fraud",),
    class_names=("no", "yes"),
)


def rows_and_anomalies(n, seed):
    """Normal rows near the origin, and a tenth that lies away from it."""
    known = torch.arange(n) % 10 == 0
    return torch.randn(n, 2, generator=seeded(seed)) + 4 * known[:, None], known


@pytest.fixture(scope="module")
def network():
    config = AutoencoderConfig(
        n_inputs=2, latent_size=1, latent_activation="linear", loss="squared", output="linear"
    )
    return Autoencoder(config, seeded()).eval()


def test_scores_in_the_wrong_order_share_their_mean_and_none_is_certain():
    scores, known = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True])
    found = AnomalyProbability.fit(scores, known)
    # Two anomalies and two others: the targets are 3/4 and 1/4, and those of 2 and 3 come in the wrong order.
    np.testing.assert_allclose(found(scores), [0.25, 0.5, 0.5, 0.75])
    np.testing.assert_allclose(found(np.array([-9.0, 3.5, 99.0])), [0.25, 0.625, 0.75])


def test_the_probability_of_many_rows_is_the_true_one():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 1, 20_000)
    found = AnomalyProbability.fit(scores, rng.random(20_000) < scores**2)
    grid = np.linspace(0.05, 0.95, 19)
    assert np.abs(found(grid) - grid**2).mean() < 0.025


def test_known_anomalies_do_not_say_what_is_normal(network):
    training = rows_and_anomalies(200, 1)
    normal = training[0][~training[1]]
    validation, known = rows_and_anomalies(200, 2)
    found = AnomalyReference.of(network, normal, validation, COLUMNS, known)
    alone = AnomalyReference.of(network, normal, validation[~known], COLUMNS)
    assert found.probability is not None
    assert alone.probability is None
    assert found.model_copy(update={"probability": None}) == alone


def test_four_known_anomalies_have_no_probability(network):
    rows, known = rows_and_anomalies(40, 0)
    assert AnomalyReference.of(network, rows, rows, COLUMNS, known).probability is None


def test_known_anomalies_are_measured_by_score_and_probability(network):
    (training, odd), (validation, known) = rows_and_anomalies(400, 1), rows_and_anomalies(400, 2)
    reference = AnomalyReference.of(network, training[~odd], validation, COLUMNS, known)
    found = evaluate_known_anomalies(network, reference, *rows_and_anomalies(400, 3), COLUMNS, 0)
    assert found["roc_auc"] > 0.95
    # Of rows that are an anomaly in one case of ten the constant has a Brier score of .09.
    assert found["brier"] < 0.05
    shuffled = rows_and_anomalies(400, 3)[0], rows_and_anomalies(400, 3)[1].roll(5)
    assert evaluate_known_anomalies(network, reference, *shuffled, COLUMNS, 0)["roc_auc"] < 0.6
