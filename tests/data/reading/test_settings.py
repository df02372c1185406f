"""What `problem.reading` may say, and what of it is refused."""

import pytest

from layerwise.data import Problem
from layerwise.data.reading import ReadingSettings


def test_a_separator_is_a_character_or_its_name():
    assert ReadingSettings(separator="tab").separator == "\t"
    assert ReadingSettings(separator=";").separator == ";"
    with pytest.raises(ValueError, match="separator is one character"):
        ReadingSettings(separator="semikolon")
    with pytest.raises(ValueError, match="separator is one character"):
        ReadingSettings(separator='"')


def test_words_are_text_as_they_stand_in_yaml():
    settings = ReadingSettings(missing=[-999, "?", None], true_words=[True, "ja"], false_words=[0])
    assert settings.missing == ("-999", "?", "")
    assert settings.true_words == ("true", "ja")
    assert settings.false_words == ("0",)


def test_a_word_is_true_or_false_but_not_both():
    with pytest.raises(ValueError, match="'ja' is among true_words and false_words"):
        ReadingSettings(true_words=["ja"], false_words=["nein", "ja"])


def test_an_encoding_has_one_name_and_an_unknown_one_is_refused():
    assert ReadingSettings(encoding="Windows-1252").encoding == ReadingSettings(encoding="cp1252").encoding
    with pytest.raises(ValueError, match="there is no such encoding"):
        ReadingSettings(encoding="windows-12")
    with pytest.raises(ValueError, match="there is no such encoding"):
        ReadingSettings(encoding="base64")


def test_marks_of_numbers_are_checked():
    with pytest.raises(ValueError, match="decimal and thousands are both ','"):
        ReadingSettings(decimal=",", thousands=",")
    with pytest.raises(ValueError, match="thousands is one of"):
        ReadingSettings(thousands="x")
    assert ReadingSettings(thousands=" ", decimal=",").thousands == " "


def test_dates_have_formats_and_a_column_one_kind():
    assert ReadingSettings(dates={"seen": "%d.%m.%Y"}).dates == {"seen": ("%d.%m.%Y",)}
    with pytest.raises(ValueError, match="'seen' has date formats, and columns says"):
        ReadingSettings(dates={"seen": ["%Y"]}, columns={"seen": "number"})
    with pytest.raises(ValueError, match="'seen' has no format"):
        ReadingSettings(dates={"seen": []})
    with pytest.raises(ValueError, match="timezone is UTC or a name"):
        ReadingSettings(timezone="Europe/Atlantis")


def test_a_misspelt_setting_gets_the_nearest_name():
    with pytest.raises(ValueError, match="unknown parameter 'seperator'; did you mean 'separator'"):
        Problem(name="p", task="binary", target="y", reading={"seperator": ";"})
