import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.evaluation import describe_segments, make_segments, measure_segments
from layerwise.evaluation.metrics import compute_metrics
from layerwise.evaluation.reports import segment_section
from layerwise.evaluation.segments import MAX_VALUES, MIN_ROWS


def labels(values, name="x"):
    return make_segments(pd.DataFrame({name: values}), [name])[name]


def test_a_number_is_cut_at_its_quartiles():
    found = labels(np.arange(100.0))
    assert list(found.cat.categories) == [
        "0 to below 24.75", "24.75 to below 49.5", "49.5 to below 74.25", "74.25 to 99",
    ]  # fmt: skip
    assert found.value_counts().tolist() == [25, 25, 25, 25]
    assert found[24] == "0 to below 24.75"
    assert found[99] == "74.25 to 99"


def test_numbers_as_text_are_cut_as_numbers_are():
    numbers = np.random.default_rng(0).normal(size=50).round(3)
    pd.testing.assert_series_equal(labels([str(n) for n in numbers]), labels(numbers))


def test_a_number_of_which_most_rows_hold_one_value_has_fewer_segments():
    found = labels([0.0] * 80 + list(range(1, 21)))
    assert list(found.cat.categories) == ["0 to 20"]  # the quartiles are 0, 0 and 0
    found = labels([0.0] * 60 + list(range(1, 41)))
    assert list(found.cat.categories) == ["0 to below 15.25", "15.25 to 40"]
    assert found.value_counts().tolist() == [75, 25]


def test_few_numbers_and_words_are_values_and_an_empty_cell_is_one_too():
    assert list(labels([2, 1, 2, 3]).cat.categories) == ["1", "2", "3"]
    assert labels([2.0, None, 1.0]).tolist() == ["2", "empty", "1"]
    assert labels(["b", None, "a"]).tolist() == ["b", "empty", "a"]
    assert labels([True, False]).tolist() == ["True", "False"]


def test_the_rarest_of_many_values_are_one_segment():
    words = [f"w{k:02d}" for k in range(MAX_VALUES + 5) for _ in range(MAX_VALUES + 6 - k)]
    found = labels(words)
    assert len(found.cat.categories) == MAX_VALUES + 1
    rare = np.array([int(word[1:]) >= MAX_VALUES for word in words])
    np.testing.assert_array_equal(found == "other values", rare)


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(DataError, match=r"column 'aage' is not in the table; did you mean 'age'\?"):
        make_segments(pd.DataFrame({"age": [1]}), ["aage"])


def rows(n=400, bad=0.1):
    """Return targets, scores and a column with a group on which so many rows are wrong, 5 % elsewhere."""
    rng = np.random.default_rng(0)
    targets = (np.arange(n) % 2).astype(float)
    group = np.where(rng.random(n) < 0.3, "far", "near")
    wrong = rng.random(n) < np.where(group == "far", bad, 0.05)
    return targets, np.abs(np.where(wrong, 1 - targets, targets) - 0.1), pd.DataFrame({"group": group})


def test_a_segments_metrics_are_those_of_its_rows():
    targets, scores, frame = rows()
    found = measure_segments(
        "binary", targets, scores[:, None], make_segments(frame, ["group"]), n_bootstrap=50
    )
    assert [(each.column, each.value) for each in found.root] == [("group", "far"), ("group", "near")]
    far = (frame["group"] == "far").to_numpy()
    expected = compute_metrics("binary", targets[far], scores[far][:, None], n_bootstrap=50)
    assert found.root[0].rows == far.sum()
    assert found.root[0].metrics == {name: expected[name] for name in ("error", "roc_auc", "log_loss")}
    assert found.root[0].others == found.root[1].metrics


def test_a_segment_that_is_worse_by_more_than_chance_is_named_and_no_other():
    for bad, named in ((0.4, True), (0.05, False)):
        targets, scores, frame = rows(bad=bad)
        segments = make_segments(frame, ["group"])
        sentences = describe_segments(measure_segments("binary", targets, scores[:, None], segments))
        assert len(sentences) == named
        assert all(s.startswith("Worse than on the other rows: group = far (") for s in sentences)


def test_of_equally_good_segments_one_is_named_in_few_runs():
    rng, spoke = np.random.default_rng(1), 0
    for _ in range(30):
        targets = (rng.random(300) < 0.4).astype(float)
        scores = 1 / (1 + np.exp(1.2 - 2.4 * targets - rng.normal(size=300)))
        frame = pd.DataFrame({"a": rng.normal(size=300), "b": rng.choice(list("xyz"), 300)})
        found = measure_segments(
            "binary", targets, scores[:, None], make_segments(frame, ["a", "b"]), n_bootstrap=20
        )
        spoke += bool(describe_segments(found))
    assert spoke <= 3


def test_of_few_rows_nothing_is_measured():
    targets, scores, frame = rows(60)
    frame["group"] = ["few"] * (MIN_ROWS - 1) + ["many"] * (61 - MIN_ROWS)
    found = measure_segments(
        "binary", targets, scores[:, None], make_segments(frame, ["group"]), n_bootstrap=20
    )
    assert found.root[0].metrics == {}
    assert found.root[1].metrics != {}
    assert found.root[1].others == {}
    assert describe_segments(found) == []
    text = segment_section(found)
    assert f"| group | few | {MIN_ROWS - 1} |  |  |" in text
    assert "| column | value | rows | error of a constant | error [95 % interval] |" in text
    rate = found.root[1].metrics["error"].base_rate
    assert f"| group | many | {61 - MIN_ROWS} | {rate:.4f} | " in text


def test_rows_count_by_their_weights():
    targets, scores, frame = rows()
    weights = np.where(np.arange(len(targets)) % 3, 1.0, 4.0)
    found = measure_segments(
        "binary", targets, scores[:, None], make_segments(frame, ["group"]), n_bootstrap=0, weights=weights
    )
    for segment, name in zip(found.root, ("far", "near"), strict=True):
        own = (frame["group"] == name).to_numpy()
        wrong = (scores >= 0.5) != targets
        expected = np.average(wrong[own], weights=weights[own])
        assert segment.metrics["error"].value == pytest.approx(expected, rel=1e-12)
        assert abs(expected - wrong[own].mean()) > 1e-3


def test_of_few_rows_that_count_nothing_is_measured():
    targets, scores, frame = rows(60)
    frame["group"] = ["few"] * 30 + ["none"] * 10 + ["many"] * 20
    weights = np.array([1.0] * (MIN_ROWS - 1) + [0.0] * (41 - MIN_ROWS) + [1.0] * 20)
    found = measure_segments(
        "binary", targets, scores[:, None], make_segments(frame, ["group"]), n_bootstrap=20, weights=weights
    )
    assert [(each.value, each.rows, bool(each.metrics)) for each in found.root] == [
        ("few", 30, False),
        ("many", 20, True),
        ("none", 10, False),
    ]


def test_a_regression_has_its_own_metrics():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(100, 1))
    frame = pd.DataFrame({"g": ["a", "b"] * 50})
    found = measure_segments("regression", targets, targets + 1, make_segments(frame, ["g"]), n_bootstrap=20)
    assert {name: metric.value for name, metric in found.root[0].metrics.items()} == pytest.approx(
        {"rmse": 1, "mae": 1}
    )
