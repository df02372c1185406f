from collections import Counter

import numpy as np

from layerwise.datasets import BatchEvaluationDataset
from layerwise.inference import BatchEvaluation


def evaluation(**changed):
    given = {
        "targets": np.array([0, 1, 1]),
        "scores": np.array([[0.25], [0.5], [1 / 3]], dtype=np.float32),
        "n_rejected": 2,
        "n_seen": 1,
        "reasons": Counter({"Age: 'x' is no number": 2}),
        "kept": {
            "Geography": np.array(["France", None, "Spain"], object),
            "Age": np.array([31.5, None, 40.0], object),
        },
        "weights": np.array([1.0, 2.0, 0.5]),
        "numbers": {"Age": np.array([31.5, np.nan, 40.0, 41.0, 42.0])},
        "values": {"Geography": Counter({"France": 3, "Spain": 1})},
        "missing": Counter({"Geography": 1}),
        "tags": {"evaluate.model": "churn/1"},
    }
    return BatchEvaluation(**given | changed)


def stored(tmp_path, data):
    dataset = BatchEvaluationDataset(filepath=str(tmp_path / "scored_rows"))
    dataset.save(data)
    return dataset.load()


def test_scored_rows_come_back_as_they_were(tmp_path):
    before = evaluation()
    after = stored(tmp_path, before)
    for name in ("targets", "scores", "weights"):
        assert getattr(after, name).dtype == getattr(before, name).dtype
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    np.testing.assert_array_equal(after.numbers["Age"], before.numbers["Age"])
    assert {name: list(cells) for name, cells in after.kept.items()} == {
        "Geography": ["France", None, "Spain"],
        "Age": [31.5, None, 40.0],
    }
    for name in ("n_rejected", "n_seen", "reasons", "values", "missing", "tags"):
        assert getattr(after, name) == getattr(before, name)
    assert isinstance(after.reasons, Counter)


def test_what_a_model_does_not_know_of_its_rows_stays_unknown(tmp_path):
    after = stored(tmp_path, evaluation(n_seen=None, weights=None, kept={}))
    assert after.n_seen is None
    assert after.weights is None
    assert after.kept == {}
