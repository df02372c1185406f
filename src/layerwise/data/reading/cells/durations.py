"""Durations and times of day in text, `01:30:00`, `2 days 03:00:00` or `1h 30min`: a number of their smallest unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

# As clocks, Python and pandas write them: of a negative one of days the rest is added, -1 day, 23:00:00.
CLOCK = re.compile(
    r"(?P<sign>[+\-]?)(?:(?P<days>\d{1,7}) ?days?,? )?(?P<rest_sign>\+?)"
    r"(?P<first>\d{1,4}):(?P<second>[0-5]\d)(?P<third>:[0-5]\d(?:\.\d{1,9})?)?",
    re.ASCII,
)
# A time of day of twelve hours: 7:06 PM, 12:00:30 a.m.
HALF_DAY = re.compile(
    r"(?P<first>0?[1-9]|1[0-2]):(?P<second>[0-5]\d)(?P<third>:[0-5]\d)? ?(?P<half>[ap])\.?m\.?",
    re.IGNORECASE | re.ASCII,
)
# After ISO 8601, without years and months, whose length differs.
ISO = re.compile(
    r"(?P<sign>[+\-]?)P(?=[\dT])(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
# In words, of one part or several: 1h 20min, 2 hrs 5 mins, 45 Min.
WORDS = re.compile(
    r"(?P<sign>-?)(?=\d)(?:(?P<days>\d{1,7}) ?(?:d|days?|tage?)(?![a-z]),? ?)?"
    r"(?:(?P<hours>\d{1,7}) ?(?:h|hrs?|hours?|std|stunden?)\.?(?![a-z]),? ?)?"
    r"(?:(?P<minutes>\d{1,7}) ?(?:m|mins?|minutes?|minuten?)\.?(?![a-z]),? ?)?"
    r"(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?) ?(?:s|secs?|seconds?|sek|sekunden?)\.?)?",
    re.IGNORECASE | re.ASCII,
)
# What a number counts, by the parts of the clocks; hours and minutes and minutes and seconds look alike.
UNITS: dict[Literal[2, 3], str] = {2: "of the smaller unit", 3: "seconds"}


def duration_of(text: str, parts: int) -> float | None:
    """Return the number of units that a text means, or None where it is no such duration.

    Args:
        text: without blanks around it.
        parts: of its clock: 3 with seconds, in which it is counted; 2 without, as in `08:30`, 510.
    """
    found = HALF_DAY.fullmatch(text)
    if found is not None:
        if (found["third"] is None) != (parts == 2):
            return None
        clock = 60.0 * (int(found["first"]) % 12 + 12 * (found["half"] in "pP")) + int(found["second"])
        return clock if parts == 2 else 60 * clock + int(found["third"][1:])
    found = CLOCK.fullmatch(text)
    if found is not None:
        if (found["third"] is None) != (parts == 2) or (found["rest_sign"] and found["days"] is None):
            return None
        clock = 60.0 * int(found["first"]) + int(found["second"])
        if found["third"] is not None:
            clock = 60 * clock + float(found["third"][1:])
        sign = -1.0 if found["sign"] == "-" else 1.0
        if found["days"] is None:
            return sign * clock
        return sign * int(found["days"]) * (86400 if parts == 3 else 1440) + clock
    found = (ISO.fullmatch(text) or WORDS.fullmatch(text.strip())) if parts == 3 else None
    if found is None:
        return None
    units = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    total = sum(float(found[name] or 0) * size for name, size in units.items())
    return -total if found["sign"] == "-" else total


def clock_text(value: float, parts: int) -> str:
    """Return the clock of a number of units, which `duration_of` reads as the number.

    One of two parts is rounded to whole units.

    Args:
        value: seconds, or the smaller unit of two parts.
        parts: of the clock.
    """
    sign = "-" if value < 0 else ""
    if parts == 2:
        first, second = divmod(round(abs(value)), 60)
        return f"{sign}{first}:{second:02d}"
    seconds, rest = divmod(round(abs(value) * 10**6), 10**6)
    minutes, second = divmod(seconds, 60)
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{second:02d}{fraction}"


def unit_of_duration(text: str, parts: Literal[2, 3]) -> str:
    """Return what the number of a duration counts, in words."""
    if HALF_DAY.fullmatch(text):
        return f"{'minutes' if parts == 2 else 'seconds'} since midnight"
    return UNITS[parts]


def parts_of(texts: Sequence[str]) -> Literal[2, 3] | None:
    """Return how many parts the clocks among texts have, 2 or 3; None where there are none, or both."""
    telling = [text for text in texts if not _has_one_unit(text)]
    held = [parts for parts in UNITS if any(duration_of(text, parts) is not None for text in telling)]
    return held[0] if len(held) == 1 else None


def _has_one_unit(text: str) -> bool:
    """Return whether a text is a number with one unit, such as 5 m: minutes beside others in two units alone."""
    found = WORDS.fullmatch(text)
    return (
        found is not None
        and sum(found[name] is not None for name in ("days", "hours", "minutes", "seconds")) < 2
    )
