"""Dates in text: formats found over all rows, each cell read by itself."""

import numpy as np
import pytest

from layerwise.data.reading.cells import find_date_formats, parse_dates
from layerwise.data.reading.cells.dates import have_named_months


def found(texts, **options):
    return find_date_formats(texts, np.ones(len(texts), dtype=int), **options)


@pytest.mark.parametrize(
    ("texts", "dates"),
    [
        (["22.02.2018", "01.03.2023"], ["2018-02-22", "2023-03-01"]),
        (["13/01/2022", "02/01/2022"], ["2022-01-13", "2022-01-02"]),
        (["01/13/2022", "02/01/2022"], ["2022-01-13", "2022-02-01"]),
        (["2023-05-23", "2023-05-24 22:30"], ["2023-05-23", "2023-05-24T22:30"]),
        (["2023-05-23T01:02:03.250", "2023-05-23T00:00:00"], ["2023-05-23T01:02:03.25", "2023-05-23"]),
        (["5 Jan 2020", "17 Dec 1999"], ["2020-01-05", "1999-12-17"]),
        (["March 5, 2020", "May 17, 1999"], ["2020-03-05", "1999-05-17"]),
        (["Jan 2020", "MAY 1999"], ["2020-01", "1999-05"]),
        (["January 2020", "april 1999"], ["2020-01", "1999-04"]),
        (["01/13/2022 1:05 PM", "02/01/2022 12:00 AM"], ["2022-01-13T13:05", "2022-02-01"]),
        (["0001-01-01", "9999-12-31"], ["0001-01-01", "9999-12-31"]),
        (["2023-05-23T01:00:00+02:00", "2023-05-23T01:00:00Z"], ["2023-05-22T23:00", "2023-05-23T01:00"]),
        (
            ["2024/03/01 1:05:09 PM GMT+1", "2024/03/01 1:05:09 AM UTC"],
            ["2024-03-01T12:05:09", "2024-03-01T01:05:09"],
        ),
        (
            ["2024-03-01 01:02:03 UTC+5:30", "2024-03-01 01:02:03 GMT"],
            ["2024-02-29T19:32:03", "2024-03-01T01:02:03"],
        ),
        (
            ["2024-03-01 01:02:03.5+01", "2024-03-01 01:02:03.5-05"],
            ["2024-03-01T00:02:03.5", "2024-03-01T06:02:03.5"],
        ),
        (["Fri, 01 Mar 2024 01:02:03 GMT"], ["2024-03-01T01:02:03"]),
        (["Fri Mar 01 01:02:03 +0000 2024", "Fri Mar 01 01:02:03 UTC 2024"], ["2024-03-01T01:02:03"] * 2),
        (["Fri Mar 01 2024 01:02:03 GMT+0100"], ["2024-03-01T00:02:03"]),
        (["13.01.22 01:02 Uhr", "02.01.22 23:59 Uhr"], ["2022-01-13T01:02", "2022-01-02T23:59"]),
        (["01/Mar/2024:01:02:03 -0700"], ["2024-03-01T08:02:03"]),
        (["13/01/2022 01:02 UTC", "02/01/2022 01:02 UTC"], ["2022-01-13T01:02", "2022-01-02T01:02"]),
        (["31.12.99", "01.01.00"], ["1999-12-31", "2000-01-01"]),
        (["Mär 2020", "Mai 1999", "Dez. 2021"], ["2020-03", "1999-05", "2021-12"]),
        (["3. März 2021", "14. Oktober 2020 10:30"], ["2021-03-03", "2020-10-14T10:30"]),
        (["3. Mrz. 2021", "14. Okt. 2020"], ["2021-03-03", "2020-10-14"]),
        (["3 mars 2021", "14 août 2020", "2 DÉCEMBRE 2020"], ["2021-03-03", "2020-08-14", "2020-12-02"]),
        (["3 févr. 2021", "14 juil. 2020"], ["2021-02-03", "2020-07-14"]),
        (["3 de marzo de 2021", "14 de diciembre de 2020"], ["2021-03-03", "2020-12-14"]),
        (["3-ene-2021", "14-ago-2020"], ["2021-01-03", "2020-08-14"]),
    ],
)
def test_dates_are_read_as_they_were_written(texts, dates):
    formats = found(texts).formats
    np.testing.assert_array_equal(parse_dates(texts, formats), np.array(dates, dtype="datetime64[us]"))


def test_a_date_is_the_same_alone_and_among_others_in_any_order():
    texts = [
        f"{d:02}/{m:02}/2022{time}" for d in range(1, 29) for m in range(1, 13) for time in ("", " 13:30")
    ]
    formats = found(texts).formats
    together = parse_dates(texts, formats)
    alone = np.array([parse_dates([text], formats)[0] for text in texts])
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(parse_dates(texts[::-1], formats), together[::-1])
    assert together[0] == np.datetime64("2022-01-01")


def test_day_and_month_that_may_be_either_have_two_readings():
    either = found(["07/01/2022", "03/04/2022"])
    assert either.formats == ("%d/%m/%Y",)
    assert either.other == ("%m/%d/%Y",)
    assert either.example == "07/01/2022"
    assert found(["07/07/2022"]).other == ()


def test_dots_stand_after_the_day():
    assert found(["07.01.2022"]).other == ()
    assert found(["01.31.2022", "01.02.2022"]).formats == ("%m.%d.%Y",)


def test_two_orders_in_one_column_are_named():
    assert found(["13/01/2022", "01/13/2022"]).both_orders == ("13/01/2022", "01/13/2022")


def test_an_impossible_date_looks_like_one_and_is_none():
    texts = ["31.02.2023", "28.02.2023"]
    dates = found(texts)
    assert dates.looks_like.all()
    np.testing.assert_array_equal(np.isnat(parse_dates(texts, dates.formats)), [True, False])


def test_digits_alone_are_dates_only_where_they_are_stated_to_be():
    assert found(["20230523"]) is None
    assert parse_dates(["20230523"], found(["20230523"], compact=True).formats)[0] == np.datetime64(
        "2023-05-23"
    )


def test_words_are_no_dates():
    assert found(["red", "green 3", "12 monkeys"]) is None


def test_months_in_languages_that_are_not_known_are_no_dates_and_differ_from_words():
    polish = ["1 stycznia 2024", "2 marca 2024", "3 maja 2024", "4 grudnia 2024"]
    assert found(polish) is None
    assert have_named_months(polish)
    assert not have_named_months(["1 of 24", "12 Main Street", "red"])
