import numpy as np
import pytest
import torch

from layerwise.data import DataError
from layerwise.evaluation.generative import evaluate_image_samples, frechet_distance_to, memorization
from layerwise.evaluation.generative.sample_quality import (
    class_fractions,
    frechet_between,
    frechet_distance,
    kernel_distance,
    polynomial_kernel,
    prdc,
    squared_discrepancy,
)
from layerwise.evaluation.likelihood import parzen_log_likelihood
from layerwise.evaluation.likelihood.parzen import parzen_log_density


def random_covariance(rng, d):
    a = rng.standard_normal((d, d))
    return a @ a.T


def test_the_frechet_distance_of_normals_on_one_line_is_known():
    # W2^2 of N(1, 4) and N(3, 9) is (1 - 3)^2 + (2 - 3)^2.
    assert frechet_between(
        np.array([1.0]), np.array([[4.0]]), np.array([3.0]), np.array([[9.0]])
    ) == pytest.approx(5)


def test_the_frechet_distance_of_commuting_covariances_is_that_of_their_axes():
    a, b = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    zero = np.zeros(3)
    found = frechet_between(zero, rotation @ a @ rotation.T, zero, rotation @ b @ rotation.T)
    assert found == pytest.approx((1 - 2) ** 2 + 0 + (3 - 1) ** 2)


def test_the_frechet_distance_agrees_with_the_matrix_root_of_scipy():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    a, b, m = random_covariance(rng, 6), random_covariance(rng, 6), rng.standard_normal((2, 6))
    expected = np.square(m[0] - m[1]).sum() + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet_between(m[0], a, m[1], b) == pytest.approx(expected, rel=1e-9)


def test_the_frechet_distance_to_a_single_point_is_the_mean_square_distance_to_it():
    rows = np.random.default_rng(2).standard_normal((500, 4))
    point = np.tile(rows.mean(0), (50, 1))
    assert frechet_distance(rows, point) == pytest.approx(rows.var(0, ddof=1).sum())


def test_a_shift_adds_its_square_to_the_frechet_distance():
    rows = np.random.default_rng(3).standard_normal((300, 4))
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(rows, rows + 0.5) == pytest.approx(4 * 0.25)


def test_a_distance_whose_real_rows_are_measured_once_is_that_of_their_features_and_nan_of_rows_that_are():
    real, generated = torch.randn(2, 300, 4, generator=torch.Generator().manual_seed(4))
    distance = frechet_distance_to(real, lambda rows: rows[:, :2])
    assert distance(generated) == pytest.approx(frechet_distance(real[:, :2], generated[:, :2]), rel=1e-9)
    assert frechet_distance_to(real)(real + 0.5) == pytest.approx(4 * 0.25, rel=1e-5)
    generated[3, 1] = torch.nan
    assert np.isnan(distance(generated))


def test_the_kernel_distance_is_the_u_statistic_of_its_definition():
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((5, 3)), rng.standard_normal((4, 3)) + 1

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    within_a = np.mean([k(a[i], a[j]) for i in range(5) for j in range(5) if i != j])
    within_b = np.mean([k(b[i], b[j]) for i in range(4) for j in range(4) if i != j])
    between = np.mean([k(x, y) for x in a for y in b])
    assert squared_discrepancy(a, b) == pytest.approx(within_a + within_b - 2 * between)
    assert polynomial_kernel(a, b)[2, 1] == pytest.approx(k(a[2], b[1]))


def test_the_kernel_distance_is_unbiased():
    rng = np.random.default_rng(5)
    same = [
        squared_discrepancy(rng.standard_normal((8, 2)), rng.standard_normal((8, 2))) for _ in range(4000)
    ]
    assert abs(np.mean(same)) < 4 * np.std(same) / np.sqrt(len(same))
    assert min(same) < 0


def test_the_kernel_distance_is_the_mean_over_subsets_with_its_deviation():
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((30, 2)), rng.standard_normal((50, 2)) + 0.3
    whole = kernel_distance(a, b[:30], np.random.default_rng(0), subsets=3)
    assert whole.mean == pytest.approx(squared_discrepancy(a, b[:30]))
    assert whole.std == pytest.approx(0, abs=1e-12)
    found = kernel_distance(a, b, np.random.default_rng(0), subsets=20, subset_rows=10)
    draws = np.random.default_rng(0)
    each = [
        squared_discrepancy(a[draws.choice(30, 10, replace=False)], b[draws.choice(50, 10, replace=False)])
        for _ in range(20)
    ]
    assert (found.mean, found.std) == (pytest.approx(np.mean(each)), pytest.approx(np.std(each)))


def test_precision_recall_and_coverage_of_a_small_set_are_counted_by_hand():
    # Real points at 0, 1, 2, 10 reach 1, 1, 1, 8; generated ones at 0.5, 3.5, 30, 31 reach 3, 3, 1, 1.
    real, generated = np.array([[0.0], [1.0], [2.0], [10.0]]), np.array([[0.5], [3.5], [30.0], [31.0]])
    found = prdc(real, generated, precision_neighbors=1, coverage_neighbors=1)
    assert found.precision == pytest.approx(2 / 4)  # 0.5 by 0 and 1, 3.5 by 10 alone, 30 and 31 by none
    assert found.recall == pytest.approx(3 / 4)  # 10 lies within 3 of nothing
    assert found.density == pytest.approx((2 + 1) / 4)
    assert found.coverage == pytest.approx(3 / 4)  # nothing lies within 1 of 2


def test_precision_takes_three_neighbors_and_coverage_five():
    rng = np.random.default_rng(8)
    real, generated = rng.standard_normal((100, 2)), rng.standard_normal((100, 2)) + 1
    found = prdc(real, generated)
    three, five = (prdc(real, generated, precision_neighbors=k, coverage_neighbors=k) for k in (3, 5))
    assert (found.precision, found.recall) == (three.precision, three.recall)
    assert (found.density, found.coverage) == (five.density, five.coverage)
    assert found.precision < five.precision


@pytest.mark.parametrize("counts", [(500, 2000), (2000, 500)])
def test_coverage_of_one_distribution_does_not_depend_on_unequal_counts(counts):
    rng = np.random.default_rng(9)
    real, generated = (rng.standard_normal((n, 2)) for n in counts)
    assert prdc(real, generated).coverage == pytest.approx(0.97, abs=0.03)


def test_image_samples_have_a_floor_of_training_rows_and_all_counts():
    rng = torch.Generator().manual_seed(0)
    training, validation, test, generated = (torch.rand(n, 4, generator=rng) for n in (90, 30, 50, 70))
    found = evaluate_image_samples(
        generated, training, validation, test, lambda x: x, lambda x: torch.stack([1 - x[:, 0], x[:, 0]], 1)
    )
    assert (found.n_generated, found.n_test, found.n_floor) == (70, 50, 70)
    assert found.frechet_floor == pytest.approx(frechet_distance(test, training[:70]))
    assert found.frechet_distance == pytest.approx(frechet_distance(test, generated))
    assert found.kernel_distance_std > 0
    assert "frechet_floor" in found.metrics()


def test_rows_of_one_distribution_have_precision_and_recall_and_a_collapsed_set_no_recall():
    rng = np.random.default_rng(6)
    real, twin, point = (
        rng.standard_normal((400, 2)),
        rng.standard_normal((400, 2)),
        rng.standard_normal((400, 2)),
    )
    good, bad = prdc(real, twin), prdc(real, 0.01 * point)
    assert min(good.precision, good.recall, good.coverage) > 0.9
    assert bad.precision > 0.9
    assert max(bad.recall, bad.coverage) < 0.1


def test_class_fractions_count_absent_classes_too():
    np.testing.assert_allclose(class_fractions([0, 0, 2, 2, 2, 3], 5), [2 / 6, 0, 3 / 6, 1 / 6, 0])


def test_copies_are_found_and_new_rows_are_not_taken_for_copies():
    rng = np.random.default_rng(7)
    training, unseen, new = (rng.standard_normal((300, 5)) for _ in range(3))
    copied = memorization(training, unseen, training[:200] + 1e-3)
    other = memorization(training, unseen, new)
    assert copied.ratio < 0.01
    assert copied.copies == 1
    assert other.ratio == pytest.approx(1, abs=0.1)
    assert other.copies < 0.05


def test_rows_that_repeat_in_unseen_ones_too_are_no_copies():
    rows = np.arange(20.0).repeat(5)[:, None]
    found = memorization(rows, rows, rows)
    assert (found.ratio, found.copies) == (1, 0)


def test_what_cannot_be_compared_is_named():
    with pytest.raises(ValueError, match="cannot be compared"):
        frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="at least 2 rows"):
        kernel_distance(np.zeros((1, 2)), np.zeros((3, 2)), np.random.default_rng(0))
    with pytest.raises(ValueError, match="NaN"):
        frechet_distance(np.full((3, 2), np.nan), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="neighbours"):
        prdc(np.zeros((5, 2)), np.zeros((5, 2)))


def test_the_window_estimate_is_the_density_of_a_mixture_of_normals():
    rng = torch.Generator().manual_seed(0)
    samples, rows = torch.rand(7, 3, generator=rng), torch.rand(5, 3, generator=rng)
    normal = torch.distributions.Independent(torch.distributions.Normal(samples.double(), 0.2), 1)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=torch.zeros(7).double()), normal
    )
    found = parzen_log_density(samples, rows, [0.1, 0.2], at_a_time=2)
    torch.testing.assert_close(found[1], mixture.log_prob(rows.double()), atol=1e-4, rtol=1e-5)


def test_the_window_is_chosen_on_validation_rows_and_near_the_truth():
    rng = torch.Generator().manual_seed(1)
    center = torch.zeros(1, 20)
    rows = 0.2 * torch.randn(4000, 20, generator=rng)
    found = parzen_log_likelihood(center, rows[:2000], rows[2000:])
    assert found.sigma == 0.2
    entropy = 10 * (1 + np.log(2 * np.pi * 0.04))
    assert found.log_likelihood == pytest.approx(-entropy, abs=4 * found.standard_error)
    # Test rows of another kind do not change the choice.
    assert parzen_log_likelihood(center, rows[:2000], 3 * rows[2000:]).sigma == 0.2


def test_a_single_row_is_too_few_to_compare_and_the_message_says_what_helps():
    with pytest.raises(DataError, match=r"1 and 5 rows are too few .* raise split.test_fraction"):
        frechet_distance(np.zeros((1, 2)), np.zeros((5, 2)))
