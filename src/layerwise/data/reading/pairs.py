"""Two numbers in a cell: a blood pressure 120/80, a score 3-2, a size 1920x1080, a place 51.5, -0.12."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from layerwise.data.reading.cells.faults import is_marker

# Three digits after a comma may be thousands: 1,920 is no number here.
NUMBER = r"\d{1,9}(?:\.\d{1,9}|,(?!\d{3}(?!\d))\d{1,9})?"
PAIR = re.compile(rf"(?P<first>{NUMBER}) ?(?P<mark>[/x×*:–-]) ?(?P<second>{NUMBER})", re.ASCII)
# Coordinates have signs, and stand in brackets or as geographic databases write them: POINT (-0.12 51.5).
SIGNED, EITHER_MARK = (rf"[+−-]?\d{{1,9}}(?:{mark}\d{{1,17}})?" for mark in (r"\.", "[.,]"))
POINT = "point"
SIGNED_MARKS = (",", ";", POINT)
# The numbers of what `pair_text` writes.
PAIR_TEXT = r"^(?:POINT \()?(-?[\d.]+)(?:[,;] |[^\d.])(-?[\d.]+)\)?$"
FORMS = (
    PAIR,
    re.compile(rf"(\()?(?P<first>{SIGNED})(?P<mark>,)\s+(?P<second>{SIGNED})(?(1)\))", re.ASCII),
    re.compile(r"(\()?(?P<first>[+−-]?\d+\.\d+)(?P<mark>,)(?P<second>[+−-]?\d+\.\d+)(?(1)\))", re.ASCII),
    re.compile(rf"(\()?(?P<first>{EITHER_MARK})(?P<mark>;)\s*(?P<second>{EITHER_MARK})(?(1)\))", re.ASCII),
    re.compile(rf"(?P<mark>{POINT}) ?\((?P<first>{SIGNED}) (?P<second>{SIGNED})\)", re.ASCII),
)
# Codes and dates have leading zeros, measurements have none.
LEADING_ZERO = re.compile(r"(?<![\d.,])0\d")
# Fewer different cells are rather names, such as classes of age: 18-25, 26-40.
MIN_PAIRS = 10


def pair_of(text: str, mark: str) -> tuple[float, float] | None:
    """Return the two numbers of a text, or None where it does not hold two with this mark between them."""
    found = _match(text)
    if not found or found["mark"] != mark:
        return None
    first, second = (float(found[name].replace(",", ".").replace("−", "-")) for name in ("first", "second"))
    return first, second


def _match(text: str) -> re.Match[str] | None:
    text = text.strip().lower()
    return next((found for form in FORMS if (found := form.fullmatch(text))), None)


def pair_text(first: float, second: float, mark: str) -> str:
    """Return the text of two numbers, which `pair_of` reads as these."""
    texts = [
        np.format_float_positional(float(f"{value:.9g}"), trim="-") if abs(value) < 1e9 else f"{value:.0f}"
        for value in (first, second)
    ]
    if mark == POINT:
        return f"POINT ({' '.join(texts)})"
    return (f"{mark} " if mark in ",;" else mark).join(texts)


def pair_form(mark: str) -> str:
    """Return what a cell holds that `pair_of` reads."""
    return (
        f"two numbers with {mark} between them"
        if mark != POINT
        else f"two numbers as in {pair_text(1, 2, mark)}"
    )


def mark_of_pairs(texts: Sequence[str]) -> str:
    """Return the mark that stands between two numbers in most texts that hold two; empty where none does."""
    found = Counter(pair["mark"] for text in texts if (pair := _match(text)))
    return found.most_common(1)[0][0] if found else ""


def find_pairs(texts: Collection[str]) -> tuple[str, list[str]]:
    """Return the mark between the two numbers that each text holds, and the words beside them that mean no value, such
    as ?; an empty mark where they are not all such.

    Args:
        texts: distinct ones. A few different ones, and codes with leading zeros, are rather names.
    """
    words = [text for text in texts if is_marker(text)]
    rest = [text for text in texts if text not in words]
    if len(rest) < MIN_PAIRS or any(LEADING_ZERO.search(text) for text in rest):
        return "", []
    mark = mark_of_pairs(rest)
    return (mark, words) if mark and all(pair_of(text, mark) is not None for text in rest) else ("", [])
