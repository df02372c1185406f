import pytest
import torch
from helpers import small_rbms as m

from layerwise.evaluation.unsupervised import rating_errors
from layerwise.models.rbm import rated, rating_probabilities
from layerwise.training.rbm import RatingsMonitor


def given_and_held_out():
    given = torch.tensor([[0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1]], dtype=torch.float64)
    held_out = torch.tensor([[0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=torch.float64)
    return given, held_out


def test_ratings_are_read_from_one_hot_rows():
    rows, groups, levels = rated(given_and_held_out()[0], 3)
    assert rows.tolist() == [0, 1, 2, 2]
    assert groups.tolist() == [0, 1, 0, 1]
    assert levels.tolist() == [1, 0, 2, 2]


def test_probabilities_of_a_rating_are_the_conditionals_of_the_joint():
    rbm = m.make_rbm("softmax")
    given, held_out = given_and_held_out()
    rows, groups, _ = rated(held_out, 3)
    found = rating_probabilities(rbm, given, rows, groups, 3)
    for k, (row, group) in enumerate(zip(rows, groups, strict=True)):
        options = given[row].repeat(3, 1)
        options[:, 3 * group : 3 * group + 3] = torch.eye(3, dtype=torch.float64)
        expected = (-m.energies(rbm, options)).logsumexp(1).softmax(0)
        torch.testing.assert_close(found[k], expected, rtol=1e-12, atol=1e-12)


def test_errors_are_those_of_the_expected_rating_and_of_means():
    rbm = m.make_rbm("softmax")
    given, held_out = given_and_held_out()
    levels = [1.0, 2.0, 5.0]
    found = rating_errors(rbm, given, held_out, levels)
    true = torch.tensor([5.0, 1.0], dtype=torch.float64)
    p = rating_probabilities(rbm, given, torch.tensor([0, 1]), torch.tensor([1, 0]), 3)
    expected = p @ torch.tensor(levels, dtype=torch.float64)
    assert found["rmse"] == pytest.approx(float((expected - true).square().mean().sqrt()))
    mean = (2 + 1 + 5 + 5) / 4
    assert found["global_mean"] == pytest.approx((((5 - mean) ** 2 + (1 - mean) ** 2) / 2) ** 0.5)
    rows = (mean + (2 - mean) / 6, mean + (1 - mean) / 6)
    assert found["item_mean"] == pytest.approx((((5 - rows[0]) ** 2 + (1 - rows[1]) ** 2) / 2) ** 0.5)
    monitored = RatingsMonitor(rbm, given, held_out, levels).epoch_metrics(None)
    assert monitored == {"validation/rmse": pytest.approx(found["rmse"])}
