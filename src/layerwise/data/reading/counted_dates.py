"""Dates as numbers: the days that spreadsheets count, and the days, seconds or parts of them since 1970."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

MICROSECONDS_OF_A_DAY = 86_400_000_000
NANOSECONDS_OF_A_DAY = 1_000 * MICROSECONDS_OF_A_DAY
# What stands for a format of such dates: the nanoseconds of one, and the day that is 0, in microseconds since 1970.
# Spreadsheets have 1 for the first day of 1900 and count a 29th of February of that year.
COUNTED_DATES = {
    "spreadsheet_days": (NANOSECONDS_OF_A_DAY, -25_569 * MICROSECONDS_OF_A_DAY),
    "unix_days": (NANOSECONDS_OF_A_DAY, 0),
    "unix_seconds": (1_000_000_000, 0),
    "unix_milliseconds": (1_000_000, 0),
    "unix_microseconds": (1_000, 0),
    "unix_nanoseconds": (1, 0),
}
WHAT_IS_COUNTED = {
    "spreadsheet_days": "the days of a spreadsheet",
    "unix_days": "the days since 1970",
    "unix_seconds": "times in seconds since 1970",
    "unix_milliseconds": "times in milliseconds since 1970",
    "unix_microseconds": "times in microseconds since 1970",
    "unix_nanoseconds": "times in nanoseconds since 1970",
}
NUMBER = re.compile(r"[+-]?\d{1,19}(?:[.,]\d{1,15})?", re.ASCII)
# Microseconds to which days are rounded: a float holds a day with its time to about one.
STEP_OF_DAYS = 1_000
# The years 1 to 9999, in microseconds since 1970.
YEARS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
# From 2001 to 2039, in which amounts are rarely as large; a spreadsheet's days from 1980 to 2060.
FIRST_TIME, LAST_TIME = 1.0e9 * 1_000_000, 2.2e9 * 1_000_000
FIRST_DAY, LAST_DAY = 3_652 * MICROSECONDS_OF_A_DAY, 32_872 * MICROSECONDS_OF_A_DAY
# Fewer different numbers than this are not taken for dates unasked.
MIN_DAYS, MIN_TIMES = 10, 50


def is_instant(date_format: str) -> bool:
    """Return whether a word stands for times since 1970, which are in UTC everywhere; days are days anywhere."""
    return date_format in COUNTED_DATES and COUNTED_DATES[date_format][0] < NANOSECONDS_OF_A_DAY


def counts_of(texts: Sequence[str]) -> np.ndarray:
    """Return numbers that may count dates, (n,) float64, NaN for another text."""
    return np.array([float(text.replace(",", ".")) if NUMBER.fullmatch(text) else np.nan for text in texts])


def dates_of_counts(texts: Sequence[str], date_format: str) -> np.ndarray:
    """Return counts as datetime64[us], (n,), NaT for what is none or lies outside of the years 1 to 9999.

    Args:
        texts: numbers, with a decimal point or comma.
        date_format: of `COUNTED_DATES`; days are taken to the millisecond, nanoseconds to the microsecond.
    """
    unit, origin = COUNTED_DATES[date_format]
    ticks = counts_of(texts) * (unit / 1_000) + origin
    right = (ticks >= YEARS[0]) & (ticks <= YEARS[1])
    whole = np.where(right, ticks, 0).round().astype(np.int64)
    if unit == NANOSECONDS_OF_A_DAY:
        whole = (whole + STEP_OF_DAYS // 2) // STEP_OF_DAYS * STEP_OF_DAYS
    found: np.ndarray = whole.astype("datetime64[us]")
    found[~right] = np.datetime64("NaT", "us")
    return found


def texts_of_counts(dates: np.ndarray, date_format: str) -> list[str | None]:
    """Return dates, (n,) datetime64[us], as counts that read as these; None for NaT."""
    unit, origin = COUNTED_DATES[date_format]
    found: list[str | None] = []
    for tick, empty in zip(dates.astype(np.int64).tolist(), np.isnat(dates).tolist(), strict=True):
        whole, rest = divmod(1_000 * (tick - origin), unit)
        found.append(None if empty else str(whole) if not rest else repr(whole + rest / unit))
    return found


def likely_counts(numbers: np.ndarray) -> str:
    """Return the word of `COUNTED_DATES` that numbers likely are, if they are dates at all; empty for none.

    Args:
        numbers: (n,) float, one at least; NaN is no date.
    """
    low, high = numbers.min(), numbers.max()
    for word, (unit, origin) in COUNTED_DATES.items():
        first, last = (count * (unit / 1_000) + origin for count in (low, high))
        if is_instant(word):
            fits, least = first >= FIRST_TIME and last <= LAST_TIME and (numbers % 1 == 0).all(), MIN_TIMES
        else:
            fits, least = first >= FIRST_DAY and last < LAST_DAY, MIN_DAYS
        if fits and len(np.unique(numbers)) >= least:
            return word
    return ""
