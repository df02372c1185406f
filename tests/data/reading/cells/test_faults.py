import time

import numpy as np
import pytest

from layerwise.data.reading.cells.faults import may_be_markers, sentinels


def test_a_sentinel_among_very_many_numbers_is_found_in_little_time():
    values = np.append(np.linspace(0, 100, 200_000), [999.0, 9999.0])
    counts = np.append(np.full(200_000, 3), [2, 3])
    began = time.process_time()
    assert sentinels(values, counts) == [9999.0]
    # Comparing all numbers with each of them would take minutes.
    assert time.process_time() - began < 10


def test_no_number_that_is_shown_as_nines_alone_is_overlooked():
    values = np.concatenate(
        [np.arange(-2_000, 2_000) / 2, *(10.0**k + np.arange(-300, 100) / 100 for k in range(2, 8))]
    )
    shown = [
        value == -1 or (set(f"{abs(value):g}") == {"9"} and abs(value) >= 99) for value in values.tolist()
    ]
    assert sum(shown) > 100
    assert may_be_markers(values)[shown].all()
    assert may_be_markers(values).mean() < 0.2


@pytest.mark.parametrize(
    ("answers", "codes", "found"),
    [
        (range(1, 8), (-99, -98, -97), [-99, -98, -97]),
        (range(1, 8), (99, 98), [99, 98]),
        (range(1, 8), (-98, -97), []),  # without the nines nothing says that they are codes
        (range(1, 99), (99, 98), []),
        (range(300, 320), (999, 998, 990), [999, 998, 990]),
    ],
)
def test_codes_beside_a_number_of_nines_are_markers_with_it(answers, codes, found):
    values = np.array(sorted({*answers, *codes}), dtype=np.float64)
    assert sorted(sentinels(values, np.full(len(values), 5))) == sorted(found)
