"""How raw rows are read: what `problem.reading` may say of a file, of its cells, and of pixels."""

from __future__ import annotations

import codecs
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, field_validator, model_validator

from layerwise.data.reading.counted_dates import COUNTED_DATES
from layerwise.utils import Config, nearest, setting

CellKind = Literal["number", "boolean", "category", "date", "text", "pair"]
PercentMeaning = Literal["fraction", "percent"]
SEPARATOR_NAMES = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
THOUSANDS = (",", ".", "'", "’", " ", "_", "")


def _texts(value: Any) -> Any:
    """Return the items of a list as text: YAML reads -999 as a number, yes as true and ~ as null."""
    if not isinstance(value, list | tuple):
        return value
    words = {True: "true", False: "false"}
    return tuple(
        "" if each is None else words[each] if isinstance(each, bool) else str(each) for each in value
    )


Words = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Formats = Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]


class ReadingSettings(Config):
    """How raw rows are read. What is null is found from the file at training; all of it is kept in the model, and every
    later file is read alike.
    """

    separator: str | None = setting(
        None, "between the cells of a row: one character, or tab; null: found from the file", by_rule=True
    )
    decimal: Literal[".", ","] | None = setting(
        None, "the decimal mark of numbers; null: found column by column", by_rule=True
    )
    thousands: str | None = setting(
        None,
        "the mark between groups of three digits, '' for none; null: found column by column",
        by_rule=True,
    )
    encoding: str | None = setting(
        None,
        "of the text, such as utf-8 or windows-1252; null: utf-8, else found from the bytes",
        by_rule=True,
    )
    quote: str | None = setting(
        None, "around cells that hold separators, '' for none; null: a double quote", by_rule=True
    )
    skip_lines: int | None = setting(
        None,
        "lines before the header; null: none, and a file that seems to have some stops the run",
        ge=0,
        by_rule=True,
    )
    header_rows: int | None = setting(
        None,
        "rows of names, such as a year above its months, joined column by column, where an empty cell takes the one to "
        "its left; null: 1, and a file that seems to have several stops the run",
        ge=1,
        le=5,
        by_rule=True,
    )
    names: Words | None = setting(
        None,
        "of the columns of a text without a line of names; []: its first line has them; null: so it has, and one that "
        "looks like a row stops the run",
        by_rule=True,
    )
    sheet: str | int | None = setting(
        None, "of a workbook: its name, or its position from 0; null: the only one", by_rule=True
    )
    bad_rows: Literal["refuse", "drop"] = setting(
        "refuse",
        "rows that cannot be read, of another length than the header: stop training, or leave them out, counted",
        "drop once the first of them was looked at",
    )
    missing: Words | None = setting(
        None,
        "cells that mean no value, beside empty ones; null: NA, N/A, n/a, NaN, null, None, <NA> and #N/A in columns "
        "that are otherwise numbers or dates",
        "sentinels such as -999 or ?",
        by_rule=True,
    )
    missing_in: dict[str, Words] = setting(
        {},
        "cells that mean no value in one column, beside those of `missing`, such as {pdays: ['-1']}",
        "a sentinel that is a value in other columns",
    )
    true_words: Words | None = setting(
        None, "cells that mean true; null: found column by column", by_rule=True
    )
    false_words: Words | None = setting(
        None, "cells that mean false; null: found column by column", by_rule=True
    )
    dates: dict[str, Formats] = setting(
        {},
        "formats of a date column, tried in order, such as {visited: ['%d/%m/%Y']}; spreadsheet_days, unix_days, "
        "unix_seconds, unix_milliseconds, unix_microseconds and unix_nanoseconds are numbers that count them",
        "an ambiguous date, dates that are numbers",
    )
    timezone: str = setting("UTC", "in which hour and weekday of a date are taken, such as Europe/Berlin")
    columns: dict[str, CellKind] = setting(
        {},
        "what a column holds, where its cells say otherwise: {zip: category}; a pair is two numbers in a cell, "
        "as in 120/80",
        "codes, ambiguous columns, two numbers in a cell",
    )
    percent: dict[str, PercentMeaning] = setting(
        {},
        "what a number without a percent sign is in a column where others have one: {rate: fraction} reads .02 as 2 %, "
        "{rate: percent} reads 2 as 2 %",
        "a column of both, which stops the run",
    )
    ignore_case: Words = setting(
        (),
        "columns of words that mean the same in capitals and in small letters: [answer]",
        "Yes, YES and yes",
    )
    pixel_range: tuple[int, int] = setting(
        (0, 255),
        "the values of black and white: [0, 255], or [0, 1] for images that are scaled already",
        "",
        "tables",
    )

    @field_validator("separator")
    @classmethod
    def _is_one_character(cls, value: str | None) -> str | None:
        value = SEPARATOR_NAMES.get(value, value) if value else value
        if value is not None and (len(value) != 1 or value in "\r\n\"'"):
            raise ValueError(f"separator is one character, or one of {', '.join(SEPARATOR_NAMES)}")
        return value

    @field_validator("quote")
    @classmethod
    def _is_a_quote(cls, value: str | None) -> str | None:
        if value is not None and (len(value) > 1 or value in tuple("\r\n\t ,;|")):
            raise ValueError("quote is one character that is no separator, or '' for none")
        return value

    @field_validator("thousands")
    @classmethod
    def _marks_groups(cls, value: str | None) -> str | None:
        if value is not None and value not in THOUSANDS:
            raise ValueError("thousands is one of , . ' _, a blank, or '' for none")
        return value

    @field_validator("names")
    @classmethod
    def _differ(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = next((name for name in value or () if (value or ()).count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names has {twice!r} twice")
        if any(not name.strip() for name in value or ()):
            raise ValueError("names has one that is empty")
        return value

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
                return codecs.lookup(value).name
            except (LookupError, UnicodeError, ValueError):
                raise ValueError(
                    "there is no such encoding; utf-8, windows-1252 and utf-16 are some"
                ) from None
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("timezone is UTC or a name such as Europe/Berlin") from None
        return value

    @field_validator("pixel_range")
    @classmethod
    def _is_known(cls, value: tuple[int, int]) -> tuple[int, int]:
        if value not in ((0, 255), (0, 1)):
            raise ValueError("pixel_range is [0, 255] or [0, 1]")
        return value

    @model_validator(mode="after")
    def _agree(self) -> ReadingSettings:
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        if self.names and (self.header_rows or 1) > 1:
            raise ValueError("names is of a text without a row of names, and header_rows of one with several")
        both = sorted(set(self.true_words or ()) & set(self.false_words or ()))
        if both:
            raise ValueError(f"{both[0]!r} is among true_words and false_words")
        other = sorted(name for name in self.dates if self.columns.get(name, "date") != "date")
        if other:
            raise ValueError(f"'{other[0]}' has date formats, and columns says that it holds another kind")
        other = sorted(name for name in self.percent if self.columns.get(name, "number") != "number")
        if other:
            raise ValueError(f"'{other[0]}' is among percent, and columns says that it holds another kind")
        empty = sorted(name for name, formats in self.dates.items() if not formats)
        if empty:
            raise ValueError(f"dates: '{empty[0]}' has no format")
        for name, formats in self.dates.items():
            wrong = next((each for each in formats if "%" not in each and each not in COUNTED_DATES), None)
            if wrong is not None:
                raise ValueError(
                    f"dates: {wrong!r} of '{name}' is no format, such as %d/%m/%Y, and none of "
                    f"{', '.join(COUNTED_DATES)}{nearest(wrong, list(COUNTED_DATES))}"
                )
        return self
