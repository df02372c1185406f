import numpy as np
import pandas as pd
import pytest
from helpers.tables import saved, table

from layerwise.data import DataError
from layerwise.data.reading import ChunkedReader, LoadedRows, write_marked
from layerwise.datasets import PredictionsDataset
from layerwise.inference import StreamedPredictions
from layerwise.inference.answer_tables import answer_table, one_schema
from layerwise.parameters import TaskSettings


def written(model, file, output, chunk_rows=20_000, **settings):
    """Return the predictions of a file as they are read from the output."""
    answers = StreamedPredictions(model, ChunkedReader(file, chunk_rows), settings=TaskSettings(**settings))
    dataset = PredictionsDataset(file=str(output), input_path=str(file))
    dataset.save(answers)
    return dataset.load(), answers


@pytest.fixture
def model_and_file(tmp_path):
    """A network of a table, and its rows in a file, one of them wrong."""
    frame = table()
    model = saved(tmp_path / "model", frame)
    rows = frame.astype({"age": object})
    rows.loc[2, "age"] = "old, very"
    file = tmp_path / "rows.csv"
    rows.to_csv(file, index=False)
    return model, file


def test_parquet_holds_what_the_csv_file_does_in_types(model_and_file, tmp_path):
    model, file = model_and_file
    found, _ = written(model, file, tmp_path / "out.parquet")
    expected, _ = written(model, file, tmp_path / "out.csv")
    assert list(found) == list(expected)
    assert found["probability_yes"].dtype == "float64"
    np.testing.assert_array_equal(found["probability_yes"], expected["probability_yes"])
    assert found["prediction"].isna().to_numpy().nonzero()[0].tolist() == [2]
    assert found["error"].dropna().tolist() == expected["error"].dropna().tolist()
    raw = pd.read_csv(file, dtype=str, keep_default_na=False)
    for name in raw:
        assert found[name].fillna("").tolist() == raw[name].tolist()


def test_small_chunks_make_the_same_file_and_the_same_counts(model_and_file, tmp_path):
    model, file = model_and_file
    lines = file.read_text().splitlines()[:51]
    file.write_text("\n".join(lines) + "\n")
    whole, one = written(model, file, tmp_path / "one.parquet")
    # The first chunk has a row without an answer alone.
    file.write_text("\n".join([lines[0], lines[3], *lines[1:3], *lines[4:]]) + "\n")
    parts, many = written(model, file, tmp_path / "many.parquet", chunk_rows=1)
    order = [2, 0, 1, *range(3, 50)]
    pd.testing.assert_frame_equal(parts, whole.iloc[order].reset_index(drop=True))
    assert (one.n_rows, one.n_rejected) == (many.n_rows, many.n_rejected) == (50, 1)


def test_a_cell_that_is_too_long_costs_its_row_alone(model_and_file, tmp_path):
    model, file = model_and_file
    lines = file.read_text().splitlines()
    lines[1] += "x" * 200_000
    file.write_text("\n".join(lines) + "\n")
    found, answers = written(model, file, tmp_path / "out.parquet")
    assert answers.n_rejected == 2
    assert found["error"][0] == "a cell of the row is too long"
    assert found["probability_yes"].notna().sum() == 198


def test_cells_before_drawn_rows_are_those_of_csv_and_empty_ones_of_any_kind_are_none(model_and_file):
    model, _ = model_and_file
    frame = table(4).assign(
        note=pd.array(["a, b", None, "c", ""], dtype="string"), count=pd.array([1, None, 3, 4], dtype="Int64")
    )
    answers = StreamedPredictions(model, LoadedRows(frame, "raw"))
    answers.copies_rows, answers.others = False, ["note", "count"]
    (chunk,) = answers.reader.chunks()
    assert answers._cells_before(chunk) == {"note": ["a, b", None, "c", None], "count": ["1", None, "3", "4"]}
    assert answers._before(chunk) == [['"a, b"', "", "c", ""], ["1", "", "3", "4"]]


def test_whole_numbers_are_doubles_since_later_ones_may_be_empty():
    tables = [
        (answer_table({}, pd.DataFrame({"n": values}), np.array(reasons, object), "error"), True)
        for values, reasons in (([1, 2], ["", ""]), ([0.5], ["no", ""]))
    ]
    first, second = one_schema(tables)
    assert second["n"].to_pylist() == [None, 0.5]
    assert first.schema == second.schema


def test_types_that_do_not_fit_are_refused():
    tables = [
        (answer_table({}, pd.DataFrame({"n": values}), np.array([""], object), "error"), True)
        for values in ([1.5], ["text"])
    ]
    with pytest.raises(DataError, match="write a CSV file"):
        list(one_schema(tables))


def test_no_text_of_a_file_of_predictions_is_a_formula_and_reading_it_gives_the_text_back(
    model_and_file, tmp_path
):
    model, file = model_and_file
    lines = file.read_text().splitlines()
    lines = [lines[0] + ",note", *(line + (",=1+1" if k else ",-5.5") for k, line in enumerate(lines[1:]))]
    file.write_text("\n".join(lines) + "\n")
    found, _ = written(model, file, tmp_path / "out.csv", chunk_rows=37)
    raw = pd.read_csv(tmp_path / "out.csv")
    assert list(raw["note"][:3]) == ["-5.5", "'=1+1", "'=1+1"]
    assert list(found["note"]) == ["-5.5"] + ["=1+1"] * 199
    # A file of predictions is rows like any other: its copy has one mark, and the same text.
    again, _ = written(model, without_answers(found, tmp_path), tmp_path / "again.csv")
    pd.testing.assert_series_equal(again["note"], found["note"])
    assert list(pd.read_csv(tmp_path / "again.csv")["note"]) == list(raw["note"])


def without_answers(found, folder):
    """Return a marked file of the rows of a file of predictions alone."""
    kept = found.loc[:, :"note"]
    target = folder / "rows_again.csv"
    write_marked(target, [kept.to_csv(index=False)])
    return target
