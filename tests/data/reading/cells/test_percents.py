"""Percents beside numbers without a sign: two readings, which a setting decides."""

import numpy as np
import pandas as pd
import pytest

from layerwise.data.reading import ReadingSettings, UnreadableError
from layerwise.data.reading.cells import NumberFormat, fit_reading

FRACTIONS = [f"{k / 10:.2f} %" if k % 3 else f"{k / 1000:.4f}" for k in range(1, 61)]
PERCENTS = [f"{k / 10:.2f} %" if k % 3 else f"{k / 10:.2f}" for k in range(1, 61)]
VALUES = np.array([k / 1000 for k in range(1, 61)])


def read(cells, **settings):
    frame = pd.DataFrame({"rate": cells})
    reading = fit_reading(frame, ReadingSettings(**settings))
    values, errors = reading.parse(frame, ["rate"])
    return reading, values["rate"], errors.reasons


@pytest.mark.parametrize(("cells", "meaning"), [(FRACTIONS, "fraction"), (PERCENTS, "percent")])
def test_a_column_of_both_stops_with_the_likelier_reading_by_which_it_is_read(cells, meaning):
    other = "percent" if meaning == "fraction" else "fraction"
    with pytest.raises(
        UnreadableError, match=rf"    percent: {{rate: {meaning}}}\n\(or {{rate: {other}}}"
    ) as error:
        read(cells)
    (suggested,) = error.value.suggestions
    assert suggested.value == {"rate": meaning}
    reading, values, reasons = read(cells, percent=suggested.value)
    np.testing.assert_allclose(values, VALUES, rtol=1e-12)
    assert not any(reasons)
    assert "which has no sign" in reading.columns["rate"].notes[0]


def test_both_readings_are_said_in_percent():
    with pytest.raises(UnreadableError, match=r"'0\.0030' beside '0\.10 %' is 0\.3 %, or 0\.003 %"):
        read(FRACTIONS)


@pytest.mark.parametrize("cells", [FRACTIONS[2::3] * 3 + FRACTIONS[:9], FRACTIONS[:2] + FRACTIONS[2:21:3]])
def test_it_does_not_matter_which_of_them_are_more(cells):
    with pytest.raises(UnreadableError, match=r"percent: \{rate: fraction}"):
        read(cells)


def test_a_few_numbers_without_a_sign_are_slips_that_cost_their_rows():
    cells = [f"{k / 10:.2f} %" for k in range(1, 61)]
    cells[7] = "0.03"
    _, values, reasons = read(cells)
    assert np.flatnonzero(reasons != "").tolist() == [7] == np.flatnonzero(values.isna()).tolist()


def test_zero_is_zero_with_and_without_a_sign():
    cells = [f"{k / 10:.2f} %" if k % 3 else "0" for k in range(1, 61)]
    _, values, reasons = read(cells)
    assert not any(reasons)
    np.testing.assert_allclose(values, [k / 1000 if k % 3 else 0 for k in range(1, 61)], rtol=1e-12)


def test_the_digits_are_read_in_one_step():
    assert NumberFormat(percent=True, unsigned="percent").value_of("27.8") == 0.278
    assert NumberFormat(percent=True, unsigned="fraction").value_of("0.278") == 0.278
    assert NumberFormat(percent=True).value_of("0.278") is None


def test_names_with_a_percent_sign_stay_names():
    reading, _, _ = read(["50% cotton", "30% wool", "7 buttons", "50%"] * 10)
    assert reading.columns["rate"].kind == "category"


def test_numbers_of_a_workbook_beside_percents_in_text_are_fractions():
    cells = [each if "%" in each else float(each) for each in PERCENTS]
    with pytest.raises(UnreadableError, match=r"percent: \{rate: fraction}"):
        read(cells)
    with pytest.raises(UnreadableError, match=r"fractions of 1 at every door"):
        read(cells, percent={"rate": "percent"})


def test_the_setting_is_of_columns_of_numbers_that_are_there():
    with pytest.raises(ValueError, match=r"'rate' is among percent"):
        ReadingSettings(percent={"rate": "fraction"}, columns={"rate": "category"})
    with pytest.raises(Exception, match=r"column 'rat' is not in the table"):
        read(FRACTIONS, percent={"rat": "fraction"})
