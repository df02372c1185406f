"""Numbers in text, against the numbers that were written."""

import numpy as np
import pytest

from layerwise.data.reading.cells import NumberFormat, find_number_format


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["4,544.25", "16,662.03", "828.83"], [4544.25, 16662.03, 828.83]),
        (["11,57", "-0,215", "1.234,5"], [11.57, -0.215, 1234.5]),
        (["$2,693", "$-5", "-$7.5", "US$1.25"], [2693, -5, -7.5, 1.25]),
        (["27.8%", "4.3 %", "-100%"], [0.278, 0.043, -1.0]),
        (["1 234,5", "12\u202f345,0", "7,25"], [1234.5, 12345.0, 7.25]),
        (["1'234.50", "1’234’567.25", "2.5"], [1234.5, 1234567.25, 2.5]),
        (["(1,234.50)", "7.25"], [-1234.5, 7.25]),
        (["9,83-", "5,33", "1.234,50-"], [-9.83, 5.33, -1234.5]),
        (["12.50- €", "8.25 €", "0.75-€"], [-12.5, 8.25, -0.75]),
        (["1e3", "-.5", "+2.", "1.7976931348623157e308"], [1000, -0.5, 2, 1.7976931348623157e308]),
        (["12 €", "3,5 EUR", "0,25 €"], [12, 3.5, 0.25]),
        (["\u22125.5", "3.25"], [-5.5, 3.25]),
        (["3,456E+02", "1,5e-3", "7,000E+00"], [345.6, 0.0015, 7]),
        (["71.7 kg", "68 kg", "70.25kg", "1,071.5 kg", "-3 kg"], [71.7, 68, 70.25, 1071.5, -3]),
        (["20°C", "21,5 °C", "-3°C", "4°C", "5°C"], [20, 21.5, -3, 4, 5]),
    ],
)
def test_numbers_are_read_as_they_were_written(texts, values):
    found = find_number_format(texts)
    assert found.other is None
    np.testing.assert_array_equal(found.format.values_of(texts)[0], values)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["45,00,000", "9,500", "1,20,34,567.5", "750"], [4500000, 9500, 12034567.5, 750]),
        (["₹ 45,00,000", "₹ 1,15,000", "₹ 99,999"], [4500000, 115000, 99999]),
        (["42 Lac", "1.4 Cr", "95.5 Lac", "2 Cr", "60 Lac"], [4.2e6, 1.4e7, 9.55e6, 2e7, 6e6]),
    ],
)
def test_lakhs_and_crores_are_read_as_they_are_written_in_india(texts, values):
    found = find_number_format(texts)
    assert found.other is None
    np.testing.assert_array_equal(found.format.values_of(texts)[0], values)


@pytest.mark.parametrize("text", ["2-", "1.5--", "2024-05-", "-1.5-"])
def test_a_mark_behind_a_whole_number_or_a_second_one_is_no_sign(text):
    assert NumberFormat().value_of(text) is None


def test_a_group_of_two_digits_among_groups_of_three_is_a_slip():
    texts = ["1,23,456", "123,456", "1,234,567"]
    found = find_number_format(texts)
    assert found.readable.tolist() == [False, True, True]


def test_digits_are_grouped_in_threes_alone():
    points = NumberFormat(decimal=".", thousands=",")
    wrong = ["12,34", "1,2345", "0,215", "1,23,456", "1,234,56.0", ",5", "1,,234", "1 234"]
    assert [points.value_of(text) for text in wrong] == [None] * len(wrong)
    assert points.value_of("1,234,567") == 1234567
    assert find_number_format(["12,34", "1,5"]).format.decimal == ","


@pytest.mark.parametrize("texts", [["1,234", "2,500"], ["1.234", "2.500"]])
def test_groups_that_may_be_fractions_have_two_readings(texts):
    found = find_number_format(texts)
    read = {found.format.value_of(texts[0]), found.other.value_of(texts[0])}
    assert read == {1234.0, 1.234}
    assert found.example == texts[0]


def test_one_cell_that_can_be_read_in_one_way_settles_the_others():
    found = find_number_format(["1,234", "0,5"])
    assert found.other is None
    assert found.settled
    assert found.format.value_of("1,234") == 1.234


def test_a_blank_before_a_sign_of_money_does_not_group_digits():
    for texts, value in ((["1.884,99 EUR", "52,31 EUR"], 1884.99), (["1,884.99 €", "0.57 €"], 1884.99)):
        found = find_number_format(texts)
        assert found.readable.all()
        assert found.format.value_of(texts[0]) == value
    grouped = find_number_format(["1 884,99 EUR", "52,31 EUR"])
    assert grouped.format.value_of("1 884,99 EUR") == 1884.99


def test_a_stated_mark_decides():
    assert find_number_format(["1,234"], decimal=".").format.value_of("1,234") == 1234
    assert find_number_format(["1,234"], decimal=",").format.value_of("1,234") == 1.234


def test_a_percent_is_the_float_nearest_to_its_hundredth():
    percent = NumberFormat(percent=True)
    for k in range(1000):
        assert percent.value_of(f"{k / 10}%") == float(f"{k / 1000:.3f}")
    assert percent.value_of("27.8") is None


def test_what_is_no_number_to_a_person_is_none():
    plain = NumberFormat()
    wrong = ["1_000", "nan", "0x10", "1.2.3", "--1", "١٢", "1e", "", "$5", "5%", "(5", "12a"]
    assert [plain.value_of(text) for text in wrong] == [None] * len(wrong)
    assert plain.value_of("-inf") == -np.inf


def test_plain_numbers_are_the_floats_that_python_reads():
    rng = np.random.default_rng(0)
    values = rng.standard_normal(2000) * 10.0 ** rng.integers(-20, 20, 2000)
    texts = [repr(float(v)) for v in values]
    read, right = NumberFormat().values_of(texts)
    assert right.all()
    assert read.tobytes() == values.tobytes()


def test_a_unit_is_one_and_the_same_behind_nearly_all_of_many_numbers():
    weights = [f"{k}.5 kg" for k in range(30)]
    found = find_number_format([*weights, "12 lb"])
    assert found.format.unit == "kg"
    assert found.readable.tolist() == [True] * 30 + [False]
    assert [found.format.value_of(text) for text in ("8 kg", "8", "8 lb", "kg")] == [8, 8, None, None]
    for names in (["2D", "3D"], ["1st", "2nd", "3rd", "4th", "5th"], [*weights[:10], "5 lb", "6 lb"]):
        found = find_number_format(names)
        assert found is None or not found.readable.any()


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["€110.5M", "€565K", "€0", "€77M", "€1.5K", "€9K"], [110.5e6, 565e3, 0, 77e6, 1500, 9000]),
        (["1.2k", "300", "4.5k", "3m", "7m", "12.25k", "9k"], [1200, 300, 4500, 3e6, 7e6, 12250, 9000]),
        (["3,5 Mio. €", "2 Mrd. €", "7,25 Mio. €", "9 Mio. €", "12 Mio. €"], [3.5e6, 2e9, 7.25e6, 9e6, 12e6]),
        (["$1.1bn", "($2.5mn)", "$3mn", "$4.7bn", "$12.25bn"], [1.1e9, -2.5e6, 3e6, 4.7e9, 12.25e9]),
        (["300 K", "290.5 K", "280 K", "273 K", "260 K"], [300, 290.5, 280, 273, 260]),
        (["3.5 m", "2 m", "1 m", "4 m", "9 m"], [3.5, 2, 1, 4, 9]),
    ],
)
def test_a_suffix_of_thousands_or_millions_multiplies_its_number(texts, numbers):
    found = find_number_format(texts)
    assert found.readable.all()
    assert [found.format.value_of(text) for text in texts] == numbers


def test_codes_that_end_in_a_letter_are_no_thousands():
    for names in (
        ["12B", "12A", "3A", "4C", "5D", "6B"],
        ["5K", "10K", "half"],
        ["K1", "K2", "K3", "K4", "K5"],
    ):
        found = find_number_format(names)
        assert found is None or not found.format.powers


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "2", "3", "4+"], [1, 2, 3, 4]),
        (["<0.5", "0.62", "7.1", ">1000", "≥ 10"], [0.5, 0.62, 7.1, 1000, 10]),
        (["10,000+", "500+", "1,000,000+", "5+"], [1e4, 500, 1e6, 5]),
        (
            ["<5 kg", "7.5 kg", "8 kg", "9 kg", "10.5 kg"] + [f"{k} kg" for k in range(20, 40)],
            [5, 7.5, 8, 9, 10.5],
        ),
    ],
)
def test_limits_are_the_numbers_that_they_name(texts, numbers):
    found = find_number_format(texts)
    assert [found.format.value_of(text) for text in texts[: len(numbers)]] == numbers


def test_degrees_are_fractions_of_degrees_and_negative_in_the_south_and_west():
    texts = ["48°51'24\"N", "33° 52′ 10.8″ S", "2°30'E", "12.25° W", "0°0'36\" W", "-7.5°", "45°"]
    degrees = [48 + 51 / 60 + 24 / 3600, -(33 + 52 / 60 + 10.8 / 3600), 2.5, -12.25, -0.01, -7.5, 45]
    found = NumberFormat(degrees=True)
    np.testing.assert_allclose(found.values_of(texts)[0], degrees, rtol=1e-14)
    for text in ("48 51 24", "48°61'N", "-7.5° S", "20°C", "48°51'24\"X", "°"):
        assert found.value_of(text) is None


def test_marks_with_a_sign_behind_are_no_limits():
    found = find_number_format(["1+", "1", "1-", "2+", "2", "2-", "3+", "3", "3-"])
    assert not found.format.bounds
    assert NumberFormat().value_of("4+") is None
