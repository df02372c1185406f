"""A membership attack on generators that copy their training rows, and on those that do not."""

import numpy as np
import pytest

from layerwise.evaluation.generative import attack_membership, measure_privacy


@pytest.fixture(scope="module")
def rows():
    """Training rows, unseen and new ones, all of one distribution."""
    return np.random.default_rng(0).standard_normal((3, 400, 6))


def test_training_rows_are_known_by_their_copies(rows):
    training, unseen, new = rows
    found = attack_membership(training, unseen, training + 0.01 * new, 0)
    assert found.auc > 0.99
    assert found.n_rows == 400


def test_rows_of_the_same_distribution_tell_nothing(rows):
    found = attack_membership(*rows, 0)
    assert found.auc_low < 0.5 < found.auc_high


def test_a_generator_that_copies_some_rows_is_found_by_the_attack_alone(rows):
    training, unseen, new = rows
    found = measure_privacy(training, unseen, np.concatenate([training[:160] + 1e-3, new[160:]]), 0)
    # Two rows of five have no distance; the median of all says nothing of them.
    assert found.memorization.ratio > 0.5
    assert found.membership.auc == pytest.approx(0.4 + 0.6 * 0.5, abs=0.05)
    assert found.membership.auc_low > 0.55


def test_as_many_training_rows_as_unseen_ones_are_attacked(rows):
    training, unseen, new = rows
    assert attack_membership(training, unseen[:100], new, 0).n_rows == 100
    # The same rows on both sides are told apart by nothing.
    assert attack_membership(unseen[:100], unseen[:100], new, 0).auc == pytest.approx(0.5)
