"""Cells to values: each by itself, text or typed, at training and ever after."""

import json
import time

import numpy as np
import pandas as pd
import pytest
import yaml

from layerwise.data import DataError
from layerwise.data.reading import ReadingSettings, UnreadableError
from layerwise.data.reading.cells import Reading, fit_reading


def text(**columns):
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def many(*cells, n=30):
    return [cells[k % len(cells)] for k in range(n)]


def read(frame, reading=None, **settings):
    reading = reading or fit_reading(frame, ReadingSettings(**settings))
    values, errors = reading.parse(frame)
    assert not errors.bad.any()
    return values


TABLE = text(
    price=many("4,544.25", "828.83", "", "1,000.00"),
    share=many("27.8%", "3%"),
    visit=many("22.02.2018", "01.03.2023 13:30", "n/a"),
    active=many("Y", " N", "y "),
    flag=many("1", "0"),
    zip=many("00420", "10001"),
    answer=many("None", "null", "Many", " "),
    count=many("3", "4", "5"),
)


def test_each_kind_is_found_and_read():
    reading = fit_reading(TABLE)
    kinds = {name: column.kind for name, column in reading.columns.items()}
    assert kinds == {
        "price": "number", "share": "number", "visit": "date", "active": "boolean", "flag": "boolean",
        "zip": "category", "answer": "category", "count": "number",
    }  # fmt: skip
    values = read(TABLE).head(4)
    np.testing.assert_array_equal(values["price"], [4544.25, 828.83, np.nan, 1000.0])
    np.testing.assert_array_equal(values["share"], [0.278, 0.03, 0.278, 0.03])
    assert values["visit"].iloc[1] == pd.Timestamp("2023-03-01 13:30")
    assert values["visit"].isna().tolist() == [False, False, True, False]
    assert values["active"].tolist() == [True, False, True, True]
    assert values["answer"].tolist()[:3] == ["None", "null", "Many"]
    assert values["answer"].isna().tolist() == [False, False, False, True]
    assert str(values["count"].dtype) == "int64"


def test_a_row_reads_the_same_alone_among_others_and_in_any_order():
    reading = fit_reading(TABLE)
    whole = read(TABLE, reading)
    for order in (np.arange(30)[::-1], np.random.default_rng(0).permutation(30), *[[k] for k in range(30)]):
        part = read(TABLE.iloc[order], reading)
        for name in whole:
            expected = whole[name].iloc[order].astype(object)
            given = part[name].astype(object)
            assert [None if pd.isna(v) else v for v in given] == [None if pd.isna(v) else v for v in expected]


def test_a_reading_is_plain_text_and_reads_the_same_after_a_round_trip():
    reading = fit_reading(TABLE)
    again = Reading.model_validate(json.loads(reading.model_dump_json()))
    assert again == reading
    pd.testing.assert_frame_equal(read(TABLE, again), read(TABLE, reading))


def test_reading_what_was_read_changes_nothing():
    reading = fit_reading(TABLE)
    once = read(TABLE, reading)
    pd.testing.assert_frame_equal(read(once, reading), once)


def test_cells_of_json_mean_what_their_text_means():
    reading = fit_reading(TABLE)
    typed = pd.DataFrame(
        {
            "price": [4544.25, None, "828.83"],
            "active": [True, "n", 0],
            "flag": [True, 0, "1"],
            "zip": [420, "420", "00420"],
        }
    )
    values = read(typed, reading)
    np.testing.assert_array_equal(values["price"], [4544.25, np.nan, 828.83])
    np.testing.assert_array_equal(values["active"].astype(float), [1, 0, 0])
    np.testing.assert_array_equal(values["flag"].astype(float), [1, 0, 1])
    assert values["zip"].tolist() == ["00420"] * 3


def test_a_true_beside_a_one_stays_what_it_is_in_a_category():
    reading = fit_reading(text(word=many("True", "1", "maybe")))
    values = read(pd.DataFrame({"word": pd.Series([1, True, 1.0, "True"], dtype=object)}), reading)
    assert values["word"].tolist() == ["1", "True", "1", "True"]


def test_faulty_cells_cost_their_rows_alone_with_a_reason():
    reading = fit_reading(TABLE)
    frame = TABLE.head(6).copy()
    frame.loc[0, "price"] = "cheap"
    frame.loc[1, "price"] = "1e300"
    frame.loc[2, "visit"] = "31.02.2023"
    frame.loc[3, "flag"] = "maybe"
    frame.loc[4, "price"] = "inf"
    values, errors = reading.parse(frame)
    assert errors.reasons.tolist() == [
        "price is a number, and holds 'cheap'",
        "price holds 1e+300, which is too large to compute with",
        "visit is a date, and holds '31.02.2023'",
        "flag is 0 or 1, and holds 'maybe'",
        "price is infinite",
        "",
    ]
    assert values.loc[[0, 1, 4], "price"].isna().all()


def test_datetimes_as_json_has_them_are_read_whatever_the_formats_of_training():
    days = [f"{k % 28 + 1:02}.{k % 12 + 1:02}.2022 {k % 24:02}:30" for k in range(40)]
    reading = fit_reading(text(visit=days))
    stamps = [
        "2022-02-14T13:30:00.000",
        "2022-02-14T13:30",
        "14.02.2022 13:30",
        "2022-02-14",
        "2022-02-14T13:30:00Z",
    ]
    values, errors = reading.parse(text(visit=stamps))
    assert values["visit"].iloc[:3].tolist() == [pd.Timestamp("2022-02-14 13:30")] * 3
    # A date alone is a fault of such a column, and so is an offset that training never had.
    assert errors.bad.tolist() == [False, False, False, True, True]
    offsets = fit_reading(
        text(visit=[f"2022-{k % 12 + 1:02}-{k % 28 + 1:02} 10:30+02:00" for k in range(40)])
    )
    values, errors = offsets.parse(text(visit=["2022-02-14T13:30:00+02:00", "2022-02-14T13:30:00"]))
    assert values["visit"][0] == pd.Timestamp("2022-02-14 11:30", tz="UTC")
    assert errors.bad.tolist() == [False, True]


def test_faults_of_columns_that_are_not_asked_for_do_not_count():
    reading = fit_reading(text(a=many("1", "2", "3"), b=many("1", "2", "3")))
    _, errors = reading.parse(text(a=["x", "1"], b=["1", "y"]), required=("b",))
    assert errors.bad.tolist() == [False, True]


def test_null_words_are_missing_in_numbers_and_dates_alone():
    values = read(text(x=many("1.5", "NA", "NaN", "2.5", "<NA>"), word=many("NA", "b", "a")))
    assert values["x"].isna().tolist()[:5] == [False, True, True, False, True]
    assert values["word"].notna().all()
    notes = fit_reading(text(word=many("NA", "b", "a"))).columns["word"].notes
    assert "NA in 10 row(s)" in notes[0]


def test_a_stated_list_of_missing_cells_holds_everywhere_and_as_a_number():
    values = read(text(x=many("1.5", "-999", "-999.0"), word=many("?", "b")), missing=["-999", "?"])
    assert values["x"].isna().tolist()[:3] == [False, True, True]
    assert values["word"].isna().tolist()[:2] == [True, False]


@pytest.mark.parametrize("marker", ["?", "-", "unknown"])
def test_a_marker_in_a_column_of_numbers_stops_with_the_line_that_settles_it(marker):
    with pytest.raises(UnreadableError) as error:
        fit_reading(text(x=[*many("1.5", "2.5", "3.25"), marker]))
    (setting,) = error.value.suggestions
    assert (setting.key, setting.value[0]) == ("missing", marker)
    assert setting.line in str(error.value)


def test_one_slip_among_many_numbers_does_not_stop_and_many_do():
    frame = text(x=[*many("1.5", "2.5", "3.25"), "Total"])
    assert fit_reading(frame).columns["x"].kind == "number"
    assert fit_reading(frame).parse(frame)[1].bad.sum() == 1
    with pytest.raises(DataError, match="numeric but for 4 cell"):
        fit_reading(text(x=[*many("1.5", "2.5", "3.25"), "a", "b", "c", "d"]))


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (many("1,234", "2,500"), "decimal: ."),
        (many("07/01/2022", "03/04/2022"), "dates: {x: ['%d/%m/%Y']}"),
    ],
)
def test_an_ambiguous_column_stops_with_the_line_that_settles_it(cells, line):
    with pytest.raises(DataError) as error:
        fit_reading(text(x=cells))
    assert line in str(error.value)
    assert "two readings" in str(error.value)
    fit_reading(text(x=cells), drop=["x"])


def test_the_error_carries_each_columns_setting_whatever_its_name_is():
    names = ["a: b, c", "x' has two readings; add {y", 'größe "cm"']
    frame = text(**{name: many("07/01/2022", "03/04/2022") for name in names}, n=many("1,5", "2,5", "?"))
    with pytest.raises(UnreadableError) as error:
        fit_reading(frame)
    settings = error.value.suggestions
    assert [each.key for each in settings] == ["dates", "dates", "dates", "missing"]
    for each in settings:
        assert yaml.safe_load(each.line) == {each.key: each.value}
        assert each.line in str(error.value)
    dates = {name: dates for each in settings[:3] for name, dates in each.value.items()}
    assert dates == {name: ["%d/%m/%Y"] for name in names}
    assert error.value.columns == (*names, "n")
    assert (
        fit_reading(frame, ReadingSettings(dates=dates, missing=settings[3].value)).columns["n"].kind
        == "number"
    )


def test_points_are_decimal_points_unless_the_file_has_decimal_commas():
    frame = text(x=many("1.234", "2.500"), y=many("0.5", "7.25"))
    assert read(frame)["x"].iloc[0] == 1.234
    assert read(frame[["x"]])["x"].iloc[0] == 1.234
    with pytest.raises(DataError, match="two readings"):
        fit_reading(text(x=many("1.234", "2.500"), y=many("0,5", "7,25")))
    with pytest.raises(DataError, match="two readings"):
        fit_reading(frame[["x"]], separator=";")


def test_commas_are_decimal_commas_in_a_file_that_has_other_ones():
    frame = text(first=many("1,234", "2,500"), y=many("0,5", "7,25"), last=many("3,316", "4,125"))
    found = read(frame)
    assert (found["first"].iloc[0], found["last"].iloc[0]) == (1.234, 3.316)
    # Beside decimal points they are those of thousands, or not: that is asked.
    with pytest.raises(DataError, match="two readings"):
        fit_reading(text(x=many("1,234", "2,500"), y=many("0.5", "7.25")))


def test_times_with_and_without_an_offset_in_one_column_are_refused():
    with pytest.raises(DataError, match="offset"):
        fit_reading(text(x=many("2023-05-23T01:00:00", "2023-05-23T01:00:00Z")))


def test_offsets_go_to_utc():
    values = read(text(x=many("2023-05-23T01:00:00+02:00", "2023-05-23T01:00:00Z")))
    assert values["x"].iloc[0] == pd.Timestamp("2023-05-22 23:00", tz="UTC")


def test_dates_with_an_offset_say_by_which_clock_they_are_read():
    cells = text(x=many("2023-05-23T01:00:00+02:00", "2023-05-24T01:00:00+02:00"))
    assert ", in UTC (problem.reading.timezone)" in fit_reading(cells).columns["x"].notes[0]
    berlin = fit_reading(cells, ReadingSettings(timezone="Europe/Berlin")).columns["x"].notes
    assert ", in Europe/Berlin (" in berlin[0]
    assert "timezone" not in fit_reading(text(x=many("2023-05-23", "2023-05-24"))).columns["x"].notes[0]


def test_sentinels_are_kept_and_named():
    x = [f"{k}.5" for k in range(40)] + ["9999"] * 5
    notes = fit_reading(text(x=x)).columns["x"].notes
    assert "9999" in notes[0]
    assert "missing_in: {x: ['9999']}" in notes[0]
    assert read(text(x=x))["x"].iloc[-1] == 9999
    assert fit_reading(text(x=[f"{k}.5" for k in range(40)])).columns["x"].notes == ()


def test_a_marker_of_one_column_is_a_value_in_the_others():
    cells = text(days=many("-1", "3"), balance=many("-1", "20"), word=many("-1", "a"), name=many("-1", "b"))
    settings = ReadingSettings(missing_in={"days": ["-1"], "word": ["-1"]})
    reading = fit_reading(cells, settings)
    values = reading.parse(cells)[0]
    assert (
        values["days"].isna().tolist() == values["word"].isna().tolist() == (cells["days"] == "-1").tolist()
    )
    assert not values[["balance", "name"]].isna().any().any()
    later = reading.parse(pd.DataFrame({"days": [-1.0], "balance": [-1], "word": ["-1"], "name": ["-1"]}))[0]
    assert later.isna().iloc[0].tolist() == [True, False, True, False]


def test_a_marker_of_a_column_that_is_not_there_is_refused():
    with pytest.raises(DataError, match=r"'dais'.*did you mean 'days'"):
        fit_reading(text(days=many("1", "2")), ReadingSettings(missing_in={"dais": ["-1"]}))


def test_class_names_are_never_understood_as_anything_else():
    frame = text(kind=many("yes", "no"), share=many("10%", "20%"), code=many("1", "2"))
    reading = fit_reading(frame, classes=["kind", "share", "code"])
    values = read(frame, reading)
    assert values["kind"].tolist()[:2] == ["yes", "no"]
    assert values["share"].tolist()[:2] == ["10%", "20%"]
    assert values["code"].tolist()[:2] == [1, 2]


def test_leading_zeros_of_several_lengths_are_left_out_everywhere():
    reading = fit_reading(text(code=many("007", "42", "0815")))
    values = read(pd.DataFrame({"code": ["007", 7, "7", "42", 42.0]}), reading)
    assert values["code"].tolist() == ["7", "7", "7", "42", "42"]


def test_a_column_that_is_there_twice_is_refused_by_name():
    frame = pd.DataFrame([["1", "2"]], columns=["size", " size "])
    with pytest.raises(DataError, match="'size' is there twice"):
        fit_reading(frame)
    with pytest.raises(DataError, match="'size' is there twice"):
        Reading().parse(frame)


def test_typed_columns_stay_as_they_are():
    frame = pd.DataFrame(
        {
            "i": np.arange(5),
            "f": np.array([0.5, np.nan, 1.5, 2.5, 3.5], dtype=np.float32),
            "b": [True, False, True, True, False],
            "when": pd.to_datetime(["2023-01-01"] * 5),
            "word": pd.Series(list("abcab"), dtype="str"),
        }
    )
    pd.testing.assert_frame_equal(read(frame).drop(columns="when"), frame.drop(columns="when"))
    assert str(read(frame)["when"].dtype) == "datetime64[us]"


def test_the_settings_say_what_a_column_holds():
    frame = text(zip=many("10001", "20002"), day=many("20230523", "20230524"), yes=many("oui", "non"))
    settings = ReadingSettings(
        columns={"zip": "category", "day": "date"}, true_words=["oui"], false_words=["non"]
    )
    values = read(frame, fit_reading(frame, settings))
    assert values["zip"].tolist()[:2] == ["10001", "20002"]
    assert values["day"].iloc[0] == pd.Timestamp("2023-05-23")
    assert values["yes"].tolist()[:2] == [True, False]
    with pytest.raises(DataError, match="'zipp' is not in the table; did you mean 'zip'"):
        fit_reading(frame, ReadingSettings(columns={"zipp": "category"}))


def test_a_column_of_many_different_numbers_is_read_in_a_moment():
    frame = text(x=[repr(float(v)) for v in np.random.default_rng(0).normal(size=30_000)])
    began = time.process_time()
    assert read(frame)["x"].nunique() == 30_000
    assert time.process_time() - began < 3  # 30 s where each number was compared with all others


def test_words_that_differ_in_capitals_alone_are_said_and_one_value_where_the_settings_say_so():
    frame = text(answer=many("Yes", "YES", "yes ", "no"), town=many("Bonn", "Ulm"))
    reading = fit_reading(frame, classes=["answer"])
    assert read(frame, reading)["answer"].unique().tolist() == ["Yes", "YES", "yes", "no"]
    said = [note for note in reading.notes() if "ignore_case: [answer]" in note]
    assert said == [
        "Column 'answer': 'Yes', 'YES', 'yes' differ in capitals alone and are different values; if they are none, add "
        "ignore_case: [answer] to problem.reading."
    ]
    for table in (frame, frame.astype({"answer": "category"})):
        reading = fit_reading(table, ReadingSettings(ignore_case=["answer"]), classes=["answer"])
        assert not [note for note in reading.notes() if "ignore_case" in note]
        assert read(table, reading)["answer"].unique().tolist() == ["yes", "no"]
        assert read(text(answer=["yEs"], town=["ulm"]), reading).iloc[0].tolist() == ["yes", "ulm"]
    with pytest.raises(DataError, match="column 'anser' is not in the table; did you mean 'answer'"):
        fit_reading(frame, ReadingSettings(ignore_case=["anser"]))


def test_amounts_of_several_currencies_are_said():
    notes = {
        name: " ".join(fit_reading(text(x=cells)).notes())
        for name, cells in {
            "several": many("12.50 USD", "€8.25", "3.75 GBP"),
            "one": many("12.50 USD", "$8.25", "US$3.75"),
        }.items()
    }
    assert "several currencies (EUR, GBP, USD), and none is converted" in notes["several"]
    assert "currencies" not in notes["one"]


def test_dates_and_amounts_of_a_japanese_table_are_read():
    cells = [f"\\{k},{k:03d}".encode("cp932").decode("cp932") for k in range(1, 30)]
    frame = text(
        day=[f"2024年{k % 12 + 1}月{k}日" for k in range(1, 29)] + [None, None], sold=[*cells, r"\1,234,567"]
    )
    found = read(frame)
    assert str(found["day"].iloc[4])[:10] == "2024-06-05"
    assert found["sold"].tolist() == [*(k * 1000 + k for k in range(1, 30)), 1_234_567]
