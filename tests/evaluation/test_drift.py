import numpy as np
import pytest
from scipy.stats import chisquare, ks_2samp

from layerwise.data.preprocessing.summaries import summarize_numbers, summarize_values
from layerwise.evaluation import (
    Drift,
    DriftTable,
    SampledNumbers,
    categorical_drift,
    describe_drift,
    numeric_drift,
)
from layerwise.evaluation.drift import population_stability_index


def test_the_index_is_the_symmetrized_kl_divergence():
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.4, 0.2])
    divergence = (p * np.log(p / q)).sum() + (q * np.log(q / p)).sum()
    assert population_stability_index(p, q, 10**9, 10**9) == pytest.approx(divergence)


def test_a_bin_without_rows_counts_as_half_a_row():
    found = population_stability_index(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 100, 50)
    p, q = np.array([1.0, 0.5 / 100]), np.array([0.5 / 50, 1.0])
    p, q = p / p.sum(), q / q.sum()
    assert found == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=1e-12)
    assert 9 < found < 10


def test_without_drift_the_mean_index_is_the_expected_one():
    rng = np.random.default_rng(0)
    found = [
        numeric_drift("x", summarize_numbers(rng.normal(size=800)), rng.normal(size=200), 800)
        for _ in range(200)
    ]
    assert np.mean([each.psi for each in found]) == pytest.approx(found[0].expected_psi, rel=0.15)
    assert np.mean([each.level == "stable" for each in found]) > 0.97


def test_a_shifted_column_drifts_and_its_medians_are_named():
    rng = np.random.default_rng(0)
    before = summarize_numbers(rng.normal(0, 1, 4000))
    found = numeric_drift("x", before, rng.normal(1, 1, 1000), 4000)
    assert found.level == "drift"
    assert found.details.startswith("median ")
    # Ten bins of equal size see most of the divergence of two normals a standard deviation apart, which is 1.
    assert 0.8 < found.psi < 1.2


def test_the_ks_distance_and_its_p_value_are_those_of_the_two_samples():
    rng = np.random.default_rng(1)
    old, new = rng.normal(size=200), rng.normal(0.3, 1, size=150)
    found = numeric_drift("x", summarize_numbers(old), new, 200)
    exact = ks_2samp(old, new, method="asymp")
    # The summary holds all 200 points, and both functions on both sides of each.
    assert found.ks == pytest.approx(exact.statistic, abs=1e-12)
    assert found.ks_pvalue == pytest.approx(exact.pvalue, abs=0.05)


def test_values_between_those_of_training_are_seen():
    rng = np.random.default_rng(0)
    old, new = rng.choice([0.0, 1.0], 500), rng.choice([0.0, 0.4], 300)
    found = numeric_drift("x", summarize_numbers(old), new, 500)
    assert found.ks == pytest.approx(ks_2samp(old, new).statistic)
    assert found.ks > 0.4
    assert found.psi < 0.02
    assert found.level == "some drift"


def test_the_ks_distance_of_many_distinct_values_is_that_of_the_samples_within_the_summary_s_steps():
    rng = np.random.default_rng(2)
    old, new = rng.normal(size=20_000), rng.normal(0.1, 1.1, size=3000)
    found = numeric_drift("x", summarize_numbers(old), new, 20_000)
    assert found.ks == pytest.approx(ks_2samp(old, new).statistic, abs=0.0025)


def test_a_shift_that_the_index_misses_is_some_drift_by_its_ks_distance_alone():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=8000), rng.normal(0.25, 1, size=2000)
    found = numeric_drift("x", summarize_numbers(old), new, 8000, n_columns=30)
    assert found.psi < 0.1
    assert ks_2samp(old, new).pvalue < 1e-20
    assert found.level == "some drift"
    assert "KS 0.1" in describe_drift([found])[1]


def test_a_small_distance_is_stable_however_many_rows_confirm_it():
    rng = np.random.default_rng(0)
    found = numeric_drift("x", summarize_numbers(rng.normal(size=50_000)), rng.normal(0.1, 1, 50_000), 50_000)
    assert found.ks_pvalue < 1e-20
    assert found.level == "stable"


def test_a_summary_without_the_fractions_below_its_points_is_still_read():
    old = summarize_numbers(np.arange(100.0))
    assert numeric_drift("x", {k: v for k, v in old.items() if k != "below"}, np.arange(100.0), 100).ks == 0


def test_a_spike_of_equal_values_is_a_bin_of_its_own():
    old = np.r_[np.zeros(360), np.linspace(1, 10, 640)]
    assert numeric_drift("balance", summarize_numbers(old), old, 1000).psi == pytest.approx(0, abs=1e-12)
    without = numeric_drift("balance", summarize_numbers(old), old[360:], 1000)
    assert without.level == "drift"


def test_missing_values_alone_are_drift():
    old = np.arange(1000.0)
    new = np.where(np.arange(1000) % 2, old, np.nan)
    found = numeric_drift("x", summarize_numbers(old), new, 1000)
    assert found.level == "drift"
    assert "0.0 % empty before, 50.0 % now" in found.details


def test_a_category_that_training_never_saw_is_counted_as_unseen():
    before = summarize_values(["a"] * 50 + ["b"] * 50)
    found = categorical_drift("letter", before, {"a": 50, "c": 50}, 0, 100)
    assert found.unseen == 0.5
    assert found.level == "drift"
    assert "50.0 % with a value that training never saw" in found.details


def test_the_sentences_name_the_worst_column_first():
    before = summarize_values(["a"] * 50 + ["b"] * 50)
    same = categorical_drift("same", before, {"a": 50, "b": 50}, 0, 100)
    little = categorical_drift("little", before, {"a": 80, "b": 20}, 0, 100)
    much = categorical_drift("much", before, {"a": 99, "b": 1}, 0, 100)
    said = describe_drift([same, little, much])
    assert said[0] == "2 of 3 columns drifted."
    assert said[1].startswith("much: drift")
    assert describe_drift([same])[0].startswith("No drift: all 1 columns")


def test_drift_is_logged_by_column_under_names_that_mlflow_takes():
    found = DriftTable(
        (
            Drift(column="rain (mm)", kind="number", psi=0.3, expected_psi=0.1, level="drift"),
            Drift(column="temp", kind="number", psi=0.01, expected_psi=0.1),
        )
    )
    assert found.logged().by_step() == {
        None: {"drift/rain _mm_": 0.3, "drift/temp": 0.01, "drift/drifted_columns": 1}
    }


def test_of_many_rows_a_uniform_sample_is_kept_whatever_parts_they_come_in():
    rng, n, most = np.random.default_rng(0), 200_000, 10_000
    sample, values = SampledNumbers(most_rows=most), np.arange(n, dtype=np.float64)
    for part in np.split(values, np.sort(rng.integers(0, n, 30))):
        sample.add({"a": part, "b": -part}, len(part))
    found = sample.columns()
    assert sample.n_rows == n
    assert most / 3 < len(found["a"]) == sample.n_kept <= most
    np.testing.assert_array_equal(found["a"], -found["b"])
    assert len(np.unique(found["a"])) == sample.n_kept
    # The first rows have been halved often, the last ones never; each tenth has its share of both.
    counts = np.histogram(found["a"], bins=10, range=(0, n))[0]
    assert chisquare(counts).pvalue > 0.001


def test_few_rows_are_all_kept_in_their_order():
    sample = SampledNumbers(most_rows=5)
    for part in ([1.0, 2.0], [], [3.0, np.nan, 5.0]):
        sample.add({"a": np.array(part)}, len(part))
    np.testing.assert_array_equal(sample.columns()["a"], [1, 2, 3, np.nan, 5])
    assert (sample.n_rows, sample.n_kept) == (5, 5)


@pytest.mark.parametrize(("counts", "missing", "level"), [({"new": 30}, 20, "drift"), ({}, 50, "stable")])
def test_a_category_that_was_empty_in_every_training_row_is_compared(counts, missing, level):
    found = categorical_drift("x", summarize_values([], 40), counts, missing, 40)
    assert found.level == level
    assert found.missing_before == 1
    assert found.unseen == (0.6 if counts else 0)
    assert ("training never saw" in found.details) == bool(counts)
