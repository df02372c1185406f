"""Dates in text: a short list of formats that is found over all cells of a column, and tried on each cell alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layerwise.data.reading.counted_dates import COUNTED_DATES, dates_of_counts, is_instant, texts_of_counts

if TYPE_CHECKING:
    import pandas as pd

# In English, German, French, Spanish, Italian, Portuguese and Dutch, whatever the computer's own language is.
MONTHS = (
    "january januar janvier enero gennaio janeiro januari",
    "february februar février fevrier febrero febbraio fevereiro februari",
    "march märz maerz mars marzo março marco maart", "april avril abril aprile", "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho", "july juli juillet julio luglio julho",
    "august août aout agosto augustus", "september septembre septiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro", "november novembre noviembre novembro",
    "december dezember décembre decembre diciembre dicembre dezembro",
)  # fmt: skip
MONTHS_CUT = (
    "jan jän janv ene gen", "feb févr fév fevr fev", "mar mär mrz mrt", "apr avr abr", "may mai mag mei",
    "jun juin giu", "jul juil lug", "aug août aout ago", "sep sept set", "oct okt ott out", "nov", "dec dez déc dic",
)  # fmt: skip
# The month of each word, as English cuts it.
MONTH_OF = {
    word: english[:3]
    for names in (MONTHS, MONTHS_CUT)
    for english, month in zip(MONTHS, names, strict=True)
    for word in month.split()
}
FULL, CUT = ("|".join(" ".join(names).split()) for names in (MONTHS, MONTHS_CUT))
WORD = re.compile(r"([^\W\d_]+)\.?")
NAMED_MONTH = re.compile(r"\d{1,2}\.?[ \-/][^\W\d_]{3,10}\.?[ \-/]\d{2,4}")
# An offset as a browser or a form writes it: UTC, GMT+1, UTC+05:30.
UTC = re.compile(r"(?:UTC|GMT)(?: ?([+\-])(\d{1,2})(?::?(\d{2}))?)?")
HOURS_ALONE = re.compile(r"(?<=\d)( ?[+\-]\d{2})$")
TOKENS = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%H": r"\d{1,2}", "%I": r"\d{1,2}",
    "%M": r"\d{2}", "%S": r"\d{2}", "%f": r"\d{1,6}", "%p": r"[AaPp][Mm]", "%b": rf"(?i:{CUT})\.?",
    "%B": f"(?i:{FULL})", "%z": rf"(?:Z|[+\-]\d{{2}}(?::?\d{{2}})?|{UTC.pattern})", "%j": r"\d{3}",
    "%a": r"[A-Za-z]{3}", "%A": r"[A-Za-z]{6,9}", "%%": "%",
}  # fmt: skip
ORDERED = [(f"%d{s}%m{s}{y}", f"%m{s}%d{s}{y}") for s in "/-." for y in ("%Y", "%y")]
NAMED = [
    "%d %b %Y", "%d %B %Y", "%d. %B %Y", "%d. %b %Y", "%d de %B de %Y",
    "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%b %d, %Y", "%B %d, %Y",
    "%b %d %Y", "%B %d %Y", "%b-%d-%Y", "%Y-%b-%d", "%d%b%Y",
]  # fmt: skip
TIMES = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"]
TIMES += [*(f"{time} %z" for time in TIMES if "%M" in time), " %H:%M Uhr", " %H:%M:%S Uhr"]
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
ISO_TIMES = [f"{gap}{time}{zone}" for gap in "T " for time in CLOCKS for zone in ("", "%z", " %z")]
FIXED = [
    "%Y-%m-%d", *("%Y-%m-%d" + time for time in ISO_TIMES), "%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p %z", "%Y-%m-%d %I:%M:%S %p %z",
    *(base + time for base in ("%Y/%m/%d", "%Y.%m.%d", *NAMED) for time in TIMES), "%Y-%m", "%Y/%m", "%b %Y", "%B %Y",
    "%Y年%m月%d日", "%Y년 %m월 %d일", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y", "%a %b %d %Y %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z",
]  # fmt: skip
COMPACT = ["%Y%m%d", "%Y%m%d%H%M%S", "%Y%m", "%Y"]
SAMPLE = 60
# A cell in the other order of day and month is a fault where so few are; more of them are two orders.
MAX_IN_THE_OTHER_ORDER = 0.05


def shape_of(date_format: str) -> re.Pattern[str]:
    """Return what a text of a format looks like, right or impossible."""
    parts = re.split(r"(%.)", date_format)
    return re.compile("".join(TOKENS.get(part, re.escape(part)) for part in parts))


def have_named_months(texts: Sequence[str]) -> bool:
    """Return whether most texts look like dates with a month's name, of any language."""
    return 2 * sum(NAMED_MONTH.fullmatch(text) is not None for text in texts) > len(texts)


def is_aware(date_format: str) -> bool:
    """Return whether a format says the time in UTC: it has the offset from it, or counts from an instant."""
    return "%z" in date_format or is_instant(date_format)


def iso_datetimes(aware: bool, gaps: str = "T") -> tuple[str, ...]:
    """Return the formats of a date with a time after ISO 8601, with an offset from UTC or without.

    Args:
        aware: with an offset.
        gaps: what may stand between date and time.
    """
    zones = ("%z", " %z") if aware else ("",)
    return tuple(
        f"%Y-%m-%d{gap}{time}{zone}"
        for gap in gaps
        for time in ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M")
        for zone in zones
    )


def parse_dates(texts: Sequence[str], formats: Sequence[str]) -> np.ndarray:
    """Return dates as datetime64[us] in UTC, (n,), NaT where a text is none: the first format that fits decides.

    Each text is read by itself; a date without an offset is taken as it stands.
    """
    import pandas as pd

    found = np.full(len(texts), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    left = np.arange(len(texts))
    for each in formats:
        if each in COUNTED_DATES:
            found[left] = dates_of_counts([texts[k] for k in left.tolist()], each)
            left = left[np.isnat(found[left])]
            continue
        shape = shape_of(each)
        here = np.array([k for k in left.tolist() if shape.fullmatch(texts[k])], dtype=np.int64)
        if len(here) == 0:
            continue
        fitting = [_with_full_offset(texts[k]) if "%z" in each else texts[k] for k in here.tolist()]
        if "%b" in each.lower():
            fitting = [_with_english_month(text) for text in fitting]
        english = each.replace("%B", "%b")
        when = pd.to_datetime(pd.Series(fitting), format=english, errors="coerce", utc=True)
        found[here] = when.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        left = left[np.isnat(found[left])]
    return found


def _with_full_offset(text: str) -> str:
    """Return a date with its offset from UTC as a sign, two digits of hours and two of minutes."""
    text = UTC.sub(lambda found: f"{found[1] or '+'}{int(found[2] or 0):02d}{found[3] or '00'}", text)
    return HOURS_ALONE.sub(r"\g<1>00", text)


def _with_english_month(text: str) -> str:
    """Return a date with its month's name as English cuts it."""
    return WORD.sub(lambda found: MONTH_OF.get(found[1].lower(), found[0]), text)


def texts_of_dates(dates: pd.Series, date_format: str) -> pd.Series:
    """Return dates as text of a format, which `parse_dates` reads as these where the format holds all of them."""
    if date_format not in COUNTED_DATES:
        return dates.dt.strftime(date_format)
    import pandas as pd

    when = dates.dt.tz_convert(None) if dates.dt.tz is not None else dates
    texts = texts_of_counts(when.to_numpy(dtype="datetime64[us]"), date_format)
    return pd.Series(texts, index=dates.index, name=dates.name, dtype="str")


class FoundDates(NamedTuple):
    """How a column's dates are most likely written.

    Args:
        formats: in the order in which they are tried.
        looks_like: which texts look like a date of one of them, (n,) bool, an impossible date too.
        other: the formats with day and month the other way round, if these read every date too; else empty.
        example: a text that the two read differently.
        both_orders: texts that only one order and only the other one reads, where both are many.
    """

    formats: tuple[str, ...]
    looks_like: np.ndarray
    other: tuple[str, ...] = ()
    example: str = ""
    both_orders: tuple[str, str] | None = None


def find_date_formats(texts: Sequence[str], counts: np.ndarray, compact: bool = False) -> FoundDates | None:
    """Return how the dates among distinct texts are written, or None where none of them looks like one.

    Args:
        texts: distinct cells, without empty ones.
        counts: how often each comes, (n,).
        compact: whether digits alone, such as 20230523, may be a date.
    """
    fixed = [*FIXED, *(COMPACT if compact else [])]
    day_first = [first + time for first, _ in ORDERED for time in TIMES]
    month_first = [second + time for _, second in ORDERED for time in TIMES]
    chosen = _formats_in_use(texts, [*fixed, *day_first])
    if not chosen:
        return None
    looks = np.zeros(len(texts), dtype=bool)
    ordered = np.zeros(len(texts), dtype=bool)
    for each in chosen:
        shape = shape_of(each)
        match = np.array([shape.fullmatch(text) is not None for text in texts])
        looks |= match
        ordered |= match & (each in day_first)
    if not ordered.any():
        return FoundDates(tuple(chosen), looks)
    swapped = [month_first[day_first.index(each)] if each in day_first else each for each in chosen]
    where = np.flatnonzero(ordered).tolist()
    some = [texts[k] for k in where]
    return _in_order(chosen, swapped, looks, some, counts[where])


def _in_order(
    chosen: list[str], swapped: list[str], looks: np.ndarray, texts: list[str], counts: np.ndarray
) -> FoundDates:
    """Decide whether the day or the month comes first, by all dates in which either may."""
    day, month = parse_dates(texts, chosen), parse_dates(texts, swapped)
    only_day = ~np.isnat(day) & np.isnat(month)
    only_month = np.isnat(day) & ~np.isnat(month)
    either = np.flatnonzero(~np.isnat(day) & ~np.isnat(month) & (day != month))
    n_day, n_month = int(counts[only_day].sum()), int(counts[only_month].sum())
    if not n_day and not n_month:
        if len(either) == 0 or all(
            "." in text for text in texts
        ):  # dots stand between day and month in that order
            return FoundDates(tuple(chosen), looks)
        return FoundDates(tuple(chosen), looks, tuple(swapped), texts[either[0]])
    if min(n_day, n_month) > MAX_IN_THE_OTHER_ORDER * (n_day + n_month):
        both = (texts[np.flatnonzero(only_day)[0]], texts[np.flatnonzero(only_month)[0]])
        return FoundDates(tuple(chosen), looks, tuple(swapped), both_orders=both)
    return FoundDates(tuple(chosen if n_day >= n_month else swapped), looks)


def _formats_in_use(texts: Sequence[str], candidates: list[str]) -> list[str]:
    """Return the formats that some text looks like, the first fitting one for each text."""
    shapes = {each: shape_of(each) for each in candidates}
    chosen: list[str] = []
    left = [text for text in texts if any(letter.isdigit() for letter in text)]
    while left:
        sample = left[:SAMPLE]
        fresh = [e for e in candidates if e not in chosen and any(shapes[e].fullmatch(t) for t in sample)]
        taken: list[str] = []
        for each in fresh:  # one for each shape: two that fit the same texts are the same but for %b and %B
            if any(
                shapes[each].fullmatch(t) and not any(shapes[c].fullmatch(t) for c in taken) for t in sample
            ):
                taken.append(each)
        if not taken:
            break
        chosen += taken
        left = [text for text in left if not any(shapes[each].fullmatch(text) for each in taken)]
    return [each for each in candidates if each in chosen]
