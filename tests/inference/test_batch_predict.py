from collections import Counter

import numpy as np

from layerwise.inference.batch_predict import MAX_KINDS, count_reasons


def test_reasons_are_counted_without_the_values_in_them():
    counts = Counter()
    reasons = [f"x1 holds '{k}; {k}', which training never saw (a, b)" for k in range(9)]
    reasons += [f"x1 is {-k / 7:g}, and was never negative; y is empty" for k in range(1, 5)]
    count_reasons(counts, np.array(reasons, dtype=object))
    assert counts == {
        "x1 holds ..., which training never saw (a, b)": 9,
        "x1 is ..., and was never negative": 4,
    }


def test_the_kinds_of_reasons_stay_few_whatever_the_rows_hold():
    counts = Counter()
    count_reasons(counts, np.array([f"c{k} is empty" for k in range(3 * MAX_KINDS)], dtype=object))
    assert len(counts) == MAX_KINDS + 1
    assert sum(counts.values()) == 3 * MAX_KINDS
