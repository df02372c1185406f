import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from layerwise.data import TensorData
from layerwise.evaluation.generative import (
    associations,
    detection_auc,
    marginal_distance,
    numeric_columns,
)
from layerwise.evaluation.generative.tables import (
    correlation_ratio,
    cramers_v,
    ks_distance,
    synthetic_data_utility,
)


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


def test_the_distance_of_numbers_is_the_kolmogorov_smirnov_statistic(rng):
    a, b = rng.normal(0, 1, 300), rng.normal(0.4, 1, 200)
    assert ks_distance(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert marginal_distance(pd.Series(a), pd.Series(b)) == ks_distance(a, b)


def test_the_distance_of_categories_is_half_the_summed_gaps():
    real, generated = pd.Series(["a"] * 6 + ["b"] * 4), pd.Series(["a"] * 3 + ["c"] * 7)
    assert marginal_distance(real, generated) == pytest.approx((0.3 + 0.4 + 0.7) / 2)


def test_whole_numbers_read_the_same_as_floats_with_empty_cells():
    assert marginal_distance(pd.Series([1, 2, 2, 1]), pd.Series([1.0, 2.0, 2.0, 1.0])) == 0
    assert marginal_distance(pd.Series([1.0, 2.0]), pd.Series([1.0, np.nan])) == pytest.approx(0.5)


def test_empty_cells_among_numbers_count_by_their_fraction(rng):
    values = pd.Series(rng.normal(size=400))
    emptied = values.where(np.arange(400) % 4 > 0)
    assert marginal_distance(values, emptied) == pytest.approx(0.25)
    assert marginal_distance(emptied, values) == pytest.approx(0.25)
    assert marginal_distance(values, values + 9) == 1


def test_a_column_is_a_number_or_a_category_by_the_real_rows_alone(rng):
    x = np.repeat(np.arange(21.0), 20)
    real = pd.DataFrame({"x": x, "y": -x})
    generated = real[real["x"] < 20]
    assert numeric_columns(real) == {"x", "y"}
    assert numeric_columns(generated) == set()
    gap = np.abs(associations(real, numeric_columns(real)) - associations(generated, numeric_columns(real)))
    assert gap.max() == pytest.approx(0)
    # Each by its own rows, a correlation of -1 stands against a Cramer's V of 1.
    assert np.abs(associations(real) - associations(generated)).max() == pytest.approx(2)


def test_columns_of_one_distribution_are_near_and_of_two_are_far(rng):
    same = marginal_distance(pd.Series(rng.normal(size=2000)), pd.Series(rng.normal(size=2000)))
    apart = marginal_distance(pd.Series(rng.normal(size=2000)), pd.Series(rng.normal(9, 1, 2000)))
    assert same < 0.06
    assert apart > 0.99


def test_cramers_v_is_that_of_scipy():
    counts = np.array([[10.0, 20, 5], [30, 5, 9]])
    assert cramers_v(counts) == pytest.approx(
        stats.contingency.association(counts.astype(int), method="cramer")
    )
    assert cramers_v(np.diag([5.0, 7.0])) == pytest.approx(1)


def test_the_correlation_ratio_is_the_root_of_the_between_groups_variance():
    values, groups = np.array([1.0, 2, 3, 7, 8, 9]), np.array(list("aaabbb"))
    assert correlation_ratio(values, groups) == pytest.approx(np.sqrt(6 * 9 / (6 * 9 + 4)))
    assert correlation_ratio(np.ones(4), np.array(list("aabb"))) == 0


def test_associations_are_symmetric_and_of_the_right_kind(rng):
    x = rng.normal(size=500)
    frame = pd.DataFrame({"x": x, "y": 2 * x + rng.normal(size=500), "kind": np.where(x > 0, "high", "low")})
    found = associations(frame)
    np.testing.assert_allclose(found, found.T)
    assert found[0, 1] == pytest.approx(np.corrcoef(frame["x"], frame["y"])[0, 1])
    assert found[0, 2] == pytest.approx(correlation_ratio(x, frame["kind"].to_numpy()))


def test_rows_of_one_distribution_are_not_detected_and_others_are(rng):
    real, twin = rng.normal(size=(600, 3)), rng.normal(size=(600, 3))
    assert detection_auc(real, twin, 0) == pytest.approx(0.5, abs=0.06)
    assert detection_auc(real, twin + 3, 0) > 0.97


def test_associations_of_many_columns_are_those_of_each_pair(rng):
    x = rng.normal(size=(300, 3))
    frame = pd.DataFrame(x, columns=list("abc"))
    frame["b"] += frame["a"]
    frame.loc[:40, "b"] = np.nan
    frame["none"] = 1.0
    frame["high"] = np.where(x[:, 0] > 0, "yes", None)
    frame["sign"] = np.where(x[:, 0] + x[:, 1] > 0, "+", "-")
    found = pd.DataFrame(associations(frame, set("abc") | {"none"}), list(frame), list(frame))
    known = frame["b"].notna()
    assert found.loc["a", "b"] == pytest.approx(np.corrcoef(frame["a"][known], frame["b"][known])[0, 1])
    assert (found["none"].drop("none") == 0).all()
    kinds = frame["high"].fillna("empty")
    assert found.loc["b", "high"] == pytest.approx(
        correlation_ratio(frame["b"][known].to_numpy(), kinds[known].to_numpy())
    )
    assert found.loc["high", "sign"] == pytest.approx(
        cramers_v(pd.crosstab(kinds, frame["sign"]).to_numpy(float))
    )
    np.testing.assert_array_equal(found, found.T)
    assert (np.diag(found) == 1).all()


def test_utility_on_many_classes_is_that_of_the_linear_model_alone(rng):
    def rows(n_classes):
        return TensorData(torch.randn(2 * n_classes, 2), torch.arange(2 * n_classes) % n_classes)

    assert list(synthetic_data_utility(rows(51), rows(51), rows(51), "multiclass", 51, 0)) == [
        "logistic regression"
    ]
