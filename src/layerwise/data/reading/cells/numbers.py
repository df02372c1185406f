"""Numbers in text: decimal mark, groups of three digits, currency signs, percent, units; found over all cells of a
column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from layerwise.data.reading.cells.affixes import (
    SHOWN,
    degrees_of,
    have_bounds,
    have_powers,
    shared_unit,
    tidy,
    without_bound,
    without_power,
)
from layerwise.data.reading.cells.durations import clock_text, duration_of, parts_of
from layerwise.data.reading.settings import PercentMeaning
from layerwise.utils import Config

PLAIN = re.compile(r"[+\-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+\-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+\-]?inf(?:inity)?", re.IGNORECASE)
GROUPED_BY_POINTS = re.compile(r"[+\-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d+)")
# Percents that lost their signs are a hundred times as large as fractions: halfway, in factors.
BETWEEN = 10.0
# In India lakhs and crores have groups of two digits; beside numbers in threes alone they are slips.
IN_PAIRS, IN_THREES = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?!\d)"), re.compile(r"\d{3},\d{3}")
LEADING_ZERO = re.compile(r"0\d+", re.ASCII)


class NumberFormat(Config):
    """How the numbers of one column are written.

    Args:
        decimal: the mark before the fraction.
        thousands: the mark between groups of three digits; empty for none.
        pairs: before the last three digits the groups have two, as in India: 45,00,000.
        symbols: currency signs, before or after a number, which are left out.
        percent: each number has a percent sign, and is divided by 100.
        unsigned: what a number without a percent sign is where others have one; None: none, but for zero.
        clock: of durations the parts of their clock, 3 with seconds and 2 without; None for numbers.
        degrees: whether they are those of places, with minutes and seconds or the half of the globe.
        unit: the text that stands behind each number and may be left out.
        powers: whether a number may have a suffix that multiplies it by a power of ten, such as 3.5M and 201K.
        bounds: whether some are limits, such as <0.5 and 4+, which are read as the number itself.
    """

    decimal: Literal[".", ","] = "."
    thousands: str = ""
    pairs: bool = False
    symbols: tuple[str, ...] = ()
    percent: bool = False
    unsigned: PercentMeaning | None = None
    clock: Literal[2, 3] | None = None
    degrees: bool = False
    unit: str = ""
    powers: bool = False
    bounds: bool = False

    @cached_property
    def _core(self) -> re.Pattern[str]:
        mark, group = re.escape(self.decimal), re.escape(self.thousands)
        grouped = (
            rf"[1-9]\d?(?:{group}\d{{2}})*{group}\d{{3}}"
            if self.pairs
            else rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+"
        )
        whole = rf"{grouped}|\d+" if self.thousands else r"\d+"
        return re.compile(
            rf"(?P<whole>{whole})?(?:{mark}(?P<fraction>\d*))?(?P<power>[eE][+\-]?\d+)?", re.ASCII
        )

    def value_of(self, text: str) -> float | None:
        """Return the number that a text is, or None; infinity reads as what it is.

        The digits are read in one step, so that 27.8% is the float nearest to 0.278.
        """
        text = without_bound(tidy(text)) if self.bounds else tidy(text)
        if self.degrees:
            return degrees_of(text)
        text = text.removesuffix(self.unit).rstrip()
        if self.clock is not None:
            return duration_of(text, self.clock)
        if INFINITE.fullmatch(text):
            return float(text)
        text, power = without_power(text) if self.powers else (text, 0)
        found = SHOWN.fullmatch(text)
        if (
            found is None
            or bool(found["open"]) != bool(found["close"])
            or (found["sign"] and found["sign_2"])
        ):
            return None
        if (found["percent"] and not self.percent) or (found["front"] and found["back"]):
            return None
        if (found["front"] or found["back"]) and (found["front"] or found["back"]) not in self.symbols:
            return None
        core = self._core.fullmatch(found["core"].strip())
        if core is None or not (core["whole"] or core["fraction"]):
            return None
        if core["power"] and self.thousands and self.thousands in (core["whole"] or ""):
            return None  # 3,456E+02 is written with one digit before the mark
        whole = (
            core["whole"].replace(self.thousands, "") if core["whole"] and self.thousands else core["whole"]
        )
        hundredths = bool(found["percent"]) or self.unsigned == "percent"
        power += int((core["power"] or "e0")[1:]) - 2 * hundredths
        sign = found["sign"] or found["sign_2"]
        if found["open"]:
            sign = "" if sign == "-" else "-"
        value = float(f"{sign}{whole or 0}.{core['fraction'] or 0}e{power}")
        lacks_sign = self.percent and self.unsigned is None and not found["percent"]
        return None if lacks_sign and value else value

    @property
    def needs_own_text(self) -> bool:
        """Whether plain numbers are none of its texts, or others."""
        return self.percent or self.decimal != "." or self.clock is not None

    def text_of(self, value: float) -> str:
        """Return a text that `value_of` reads as a number: 27.8% for 0.278, 3,5 for 3.5, 1:30:00 for 5400.

        Durations are rounded to what their clock shows.
        """
        if self.clock is not None:
            return clock_text(value, self.clock)
        number = Decimal(repr(float(value))).scaleb(2 * self.percent).normalize()
        return f"{number:f}{'%' * self.percent}".replace(".", self.decimal)

    def values_of(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of texts, (n,) float64 with NaN where one is none, and which ones are, (n,) bool."""
        if self.decimal == "." and not self.percent and self.clock is None and not self.degrees:
            values = _plain_values(texts)
            if values is not None:
                return values, np.ones(len(texts), dtype=bool)
        found = [self.value_of(text) for text in texts]
        values = np.array([np.nan if value is None else value for value in found], dtype=np.float64)
        return values, ~np.isnan(values)


def _plain_values(texts: Sequence[str]) -> np.ndarray | None:
    """Return the floats of texts that are all plain numbers, else None."""
    try:
        values = np.array([float(text) for text in texts], dtype=np.float64)
    except ValueError:
        return None
    # float() also takes 1_000, nan and the digits of other scripts.
    odd = not np.isfinite(values).all() or any("_" in text or not text.isascii() for text in texts)
    return None if odd and not all(PLAIN.fullmatch(text.strip()) for text in texts) else values


class FoundFormat(NamedTuple):
    """How a column's numbers are most likely written.

    Args:
        format: the likeliest.
        readable: which texts are numbers by it, (n,) bool.
        other: another format by which as many are numbers, with other values; None if there is none.
        example: a text that the two read differently.
        settled: whether some text is a number by one decimal mark alone.
    """

    format: NumberFormat
    readable: np.ndarray
    other: NumberFormat | None = None
    example: str = ""
    settled: bool = False

    def extended(self, **fields: Any) -> FoundFormat:
        """Return it for numbers with something behind them, such as a unit."""
        other = self.other and self.other.model_copy(update=fields)
        return self._replace(format=self.format.model_copy(update=fields), other=other)


def find_number_format(
    texts: Sequence[str],
    decimal: str | None = None,
    thousands: str | None = None,
    unsigned: PercentMeaning | None = None,
) -> FoundFormat | None:
    """Return how the numbers among distinct texts are written, or None where none of them looks like one.

    Args:
        texts: distinct cells, without empty ones.
        decimal: the mark that the settings say, if they do.
        thousands: of the settings, likewise.
        unsigned: what numbers without a percent sign are among percents; None: none.
    """
    if decimal in (None, ".") and unsigned is None and _plain_values(texts) is not None:
        fractions = any("." in text for text in texts)
        if not fractions or any(not GROUPED_BY_POINTS.fullmatch(text) for text in texts):
            return FoundFormat(NumberFormat(), np.ones(len(texts), dtype=bool), settled=fractions)
    marks, plainer = _without_marks(texts)
    if marks:
        found = find_number_format(plainer, decimal, thousands, unsigned)
        return found and found.extended(**marks)
    shapes = [SHOWN.fullmatch(tidy(text)) for text in texts]
    matched = [shape for shape in shapes if shape is not None]
    if not matched:
        return None
    percents = sum(bool(shape["percent"]) for shape in matched)
    symbols = sorted({shape[part] for shape in matched for part in ("front", "back")} - {""})
    cores = [shape["core"].strip() for shape in matched]
    pairs = any(map(IN_PAIRS.match, cores)) and not any(map(IN_THREES.search, cores))
    formats = [
        NumberFormat(
            decimal=mark,
            thousands=group,
            pairs=pairs and group == ",",
            symbols=tuple(symbols),
            percent=2 * percents > len(matched) or unsigned is not None,
            unsigned=unsigned,
        )
        for mark, group in _conventions(cores, decimal, thousands)
    ]
    read = [each.values_of(texts) for each in formats]
    counts = [int(right.sum()) for _, right in read]
    best = int(np.argmax(counts))  # the first of equals: the decimal point
    if counts[best] == 0:
        return None
    if not any(formats[best].thousands in shape["core"] for shape in matched):
        formats[best] = formats[best].model_copy(update={"thousands": ""})
    settled = len(counts) > 1 and min(counts) < max(counts)
    for k in range(len(formats)):
        differ = np.flatnonzero((read[k][0] != read[best][0]) & read[k][1] & read[best][1])
        if k != best and counts[k] == counts[best] and len(differ):
            return FoundFormat(formats[best], read[best][1], formats[k], texts[differ[0]])
    return FoundFormat(formats[best], read[best][1], settled=settled)


def _without_marks(texts: Sequence[str]) -> tuple[dict[str, Any], Sequence[str]]:
    """Return one sort of marks that nearly all texts have, as a field of their format, and the texts without them."""
    tidied = [tidy(text) for text in texts]
    if unit := shared_unit(texts):
        return {"unit": unit}, [text.removesuffix(unit) for text in tidied]
    if have_bounds(texts):
        return {"bounds": True}, [without_bound(text) for text in tidied]
    if have_powers(texts):
        return {"powers": True}, [without_power(text)[0] for text in tidied]
    return {}, texts


def guess_unsigned(texts: Sequence[str], values: np.ndarray, readable: np.ndarray) -> PercentMeaning | None:
    """Return what numbers without a percent sign likeliest are among others with one; None where all are alike.

    By the reading that is taken their median is nearer to that of the others.

    Args:
        texts: distinct cells.
        values, readable: of them where a number without a sign is a fraction, as `NumberFormat.values_of` has them.
    """
    has_sign = np.array(["%" in text for text in texts], dtype=bool)
    held = readable & (values != 0)
    if not np.any(held & has_sign) or not np.any(held & ~has_sign):
        return None
    ratio = np.median(np.abs(values[held & ~has_sign])) / np.median(np.abs(values[held & has_sign]))
    return "fraction" if ratio < BETWEEN else "percent"


def _conventions(
    cores: Iterable[str], decimal: str | None, thousands: str | None
) -> list[tuple[Literal[".", ","], str]]:
    """Return the decimal marks and the marks of thousands that a column may have."""
    third = {mark for core in cores for mark in " '_" if mark in core}
    found: list[tuple[Literal[".", ","], str]] = []
    for mark, other in ((".", ","), (",", ".")):
        if decimal is not None and mark != decimal:
            continue
        groups = [thousands] if thousands is not None else sorted(third) or [other]
        found += [(mark, group) for group in groups if group != mark]  # type: ignore[misc]
    return found


def needs_text(texts: Sequence[str]) -> bool:
    """Return whether whole numbers among texts say by a leading zero that they are codes, such as 00420."""
    return any(LEADING_ZERO.fullmatch(text) for text in texts) and all(text.isdigit() for text in texts)


def find_degrees(texts: Sequence[str]) -> FoundFormat:
    """Return how degrees among distinct texts are written."""
    found = NumberFormat(degrees=True)
    return FoundFormat(found, found.values_of(texts)[1])


def find_durations(texts: Sequence[str]) -> FoundFormat | None:
    """Return how the durations among distinct texts are written, or None where there are none or they differ."""
    clock = parts_of([tidy(text) for text in texts])
    if clock is None:
        return None
    found = NumberFormat(clock=clock)
    return FoundFormat(found, found.values_of(texts)[1])
