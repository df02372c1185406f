"""The rows of a table at training: read once, unreadable ones left out, the reading kept and obeyed."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError, PreprocessingSettings, Problem
from layerwise.data.preprocessing.table import TablePreprocessor
from layerwise.data.reading import validate_rows
from layerwise.data.reading.cells import read_table, reading_of

PROBLEM = Problem(name="visits", task="binary", target="bought", drop=("note",))
N = 40


def raw():
    """Cells of a file as text; row 3 has an impossible date, row 7 a number that is too large."""
    frame = pd.DataFrame(
        {
            "price": [f"{k},{k % 10}" for k in range(N)],
            "visit": [f"{k % 28 + 1:02}.{k % 12 + 1:02}.2022" for k in range(N)],
            "flag": ["yes", "no"] * (N // 2),
            "note": ["1,234"] * N,
            "bought": ["no", "no", "yes", "yes"] * (N // 4),
        },
        dtype=object,
    )
    frame.loc[3, "visit"] = "31.02.2022"
    frame.loc[7, "price"] = "1e300"
    frame.attrs.update(source="visits.csv", sha256="0" * 64, line_numbers=list(range(2, N + 2)))
    return frame


def fitted():
    rows = read_table(raw(), PROBLEM, PreprocessingSettings())
    return TablePreprocessor.fit(rows, np.arange(len(rows) - 8), PROBLEM, PreprocessingSettings()), rows


def test_unreadable_rows_are_left_out_with_their_lines_and_counted(caplog):
    with caplog.at_level(logging.INFO):
        rows = read_table(raw(), PROBLEM, PreprocessingSettings())
    assert len(rows) == N - 2
    said = (
        "2 of 40 row(s) cannot be read and are left out: line 5: visit is a date, and holds '31.02.2022'; "
        "line 9: price holds 1e+300, which is too large to compute with"
    )
    assert said in caplog.text
    assert rows.attrs["reading_notes"][-1] == f"{said}."
    assert rows["price"].iloc[:5].tolist() == [0.0, 1.1, 2.2, 4.4, 5.5]
    assert rows.attrs["source"] == "visits.csv"


def test_nothing_is_noted_of_a_column_that_is_dropped_whatever_is_in_its_name():
    word = ["NA", *(f"w{k % 7}" for k in range(N - 1))]
    frame = raw().assign(**{"driver's word": word, "the drivers' word": word})
    noted = [
        read_table(frame, PROBLEM.model_copy(update={"drop": drop}), PreprocessingSettings()).attrs[
            "reading_notes"
        ]
        for drop in (("note", "driver's word"), ("note", "driver's word", "the drivers' word"))
    ]
    assert [sum("NA in 1 row(s) of text" in note for note in notes) for notes in noted] == [1, 0]


def test_what_was_noted_of_the_file_and_its_columns_stands_in_the_data_spec_for_the_card():
    frame = raw()
    frame.attrs["reading_notes"] = ["visits.csv: cells are separated by ';'."]
    rows = read_table(frame, PROBLEM, PreprocessingSettings())
    fitted = TablePreprocessor.fit(rows, np.arange(len(rows) - 8), PROBLEM, PreprocessingSettings())
    notes = fitted.data_spec.notes
    assert notes[0] == "visits.csv: cells are separated by ';'."
    assert any(note.startswith("Column 'visit': read as dates: ") for note in notes)
    assert any(note.startswith("2 of 40 row(s) cannot be read and are left out: line 5") for note in notes)


def test_the_reading_stays_with_the_rows_through_a_file(tmp_path):
    rows = read_table(raw(), PROBLEM, PreprocessingSettings())
    rows.to_parquet(tmp_path / "rows.parquet")
    again = pd.read_parquet(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(again, rows)
    assert reading_of(again) == reading_of(rows)
    assert reading_of(rows).columns["price"].number.decimal == ","


def test_a_table_without_a_row_that_can_be_read_is_refused():
    frame = raw().iloc[[3]]
    with pytest.raises(DataError, match="no row can be read: visit is a date"):
        read_table(frame, PROBLEM, PreprocessingSettings())


def test_the_preprocessor_reads_text_and_typed_cells_alike_after_it_was_saved():
    preprocessor, rows = fitted()
    again = TablePreprocessor(json.loads(json.dumps(preprocessor.state, default=str)) | {
        name: preprocessor.state[name] for name in ("scaler", "encoder")
    })  # fmt: skip
    text = raw().drop(index=[3, 7]).drop(columns=["note", "bought"])
    expected = preprocessor.inputs(rows)
    np.testing.assert_array_equal(again.inputs(text), expected)
    typed = pd.DataFrame(
        {
            "price": rows["price"],
            "visit": rows["visit"].dt.strftime("%d.%m.%Y"),
            "flag": rows["flag"].astype(object),
        }
    )
    np.testing.assert_array_equal(again.inputs(typed), expected)


def test_a_row_has_the_same_inputs_alone_and_in_any_order():
    preprocessor, rows = fitted()
    text = raw().drop(index=[3, 7]).reset_index(drop=True)
    expected = preprocessor.inputs(rows)
    for k in range(len(text)):
        np.testing.assert_array_equal(preprocessor.inputs(text.iloc[[k]])[0], expected[k])
    order = np.random.default_rng(0).permutation(len(text))
    np.testing.assert_array_equal(preprocessor.inputs(text.iloc[order]), expected[order])


def test_the_rows_that_training_left_out_are_refused_later_for_the_same_reasons():
    preprocessor, _ = fitted()
    reasons = validate_rows(raw(), preprocessor)
    assert np.flatnonzero(reasons != "").tolist() == [3, 7]
    assert reasons[3] == "visit is a date, and holds '31.02.2022'"
    assert reasons[7] == "price holds 1e+300, which is too large to compute with"


def test_hours_and_weekdays_are_those_of_the_stated_timezone():
    stamps = [f"2023-05-{k % 28 + 1:02}T23:30:00+00:00" for k in range(N)]
    frame = raw().assign(visit=stamps, price=[str(k) for k in range(N)])
    found = {}
    for zone in ("UTC", "Europe/Berlin"):
        problem = PROBLEM.model_copy(
            update={"reading": PROBLEM.reading.model_copy(update={"timezone": zone})}
        )
        settings = PreprocessingSettings(scaling="none")
        rows = read_table(frame, problem, settings)
        preprocessor = TablePreprocessor.fit(rows, np.arange(N), problem, settings)
        names = preprocessor.data_spec.feature_names
        found[zone] = dict(zip(names, preprocessor.inputs(frame)[0], strict=True))
    np.testing.assert_allclose(found["UTC"]["visit_hour_sin"], np.sin(2 * np.pi * 23.5 / 24), rtol=1e-6)
    np.testing.assert_allclose(
        found["Europe/Berlin"]["visit_hour_sin"], np.sin(2 * np.pi * 1.5 / 24), rtol=1e-6
    )
    # 1 May 2023 is a Monday; in Berlin it is Tuesday already.
    assert found["UTC"]["visit_weekday_cos"] == 1
    np.testing.assert_allclose(found["Europe/Berlin"]["visit_weekday_cos"], np.cos(2 * np.pi / 7), rtol=1e-6)
    assert found["UTC"]["visit_days"] == found["Europe/Berlin"]["visit_days"]


def test_dates_without_times_have_no_hours():
    assert not any("hour" in name for name in fitted()[0].data_spec.feature_names)


def test_a_plain_file_reads_to_the_bit_as_pandas_reads_it():
    path = Path(__file__).parents[4] / "data/01_raw/forest_fires/forestfires_uci.csv"
    problem = Problem(name="fires", task="regression", target="area")
    text = pd.read_csv(path, dtype="str", keep_default_na=False).astype(object)
    rows = read_table(text, problem, PreprocessingSettings())
    rows.attrs = {}
    pd.testing.assert_frame_equal(rows, pd.read_csv(path), check_exact=True)
