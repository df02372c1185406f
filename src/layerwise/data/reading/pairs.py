"""Two numbers in a cell: a blood pressure 120/80, a score 3-2, a size 1920x1080."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from layerwise.data.reading.cells.faults import is_marker

# Three digits after a comma may be thousands: 1,920 is no number here.
NUMBER = r"\d{1,9}(?:\.\d{1,9}|,(?!\d{3}(?!\d))\d{1,9})?"
PAIR = re.compile(rf"(?P<first>{NUMBER}) ?(?P<mark>[/x×*:–-]) ?(?P<second>{NUMBER})", re.ASCII)
# Codes and dates have leading zeros, measurements have none.
LEADING_ZERO = re.compile(r"(?<![\d.,])0\d")
# Fewer different cells are rather names, such as classes of age: 18-25, 26-40.
MIN_PAIRS = 10


def pair_of(text: str, mark: str) -> tuple[float, float] | None:
    """Return the two numbers of a text, or None where it does not hold two with this mark between them."""
    found = PAIR.fullmatch(text.strip().lower())
    if not found or found["mark"] != mark:
        return None
    return float(found["first"].replace(",", ".")), float(found["second"].replace(",", "."))


def pair_text(first: float, second: float, mark: str) -> str:
    """Return the text of two numbers, which `pair_of` reads as these."""
    return mark.join(f"{value:.9g}" if abs(value) < 1e9 else f"{value:.0f}" for value in (first, second))


def mark_of_pairs(texts: Sequence[str]) -> str:
    """Return the mark that stands between two numbers in most texts that hold two; empty where none does."""
    found = Counter(pair["mark"] for text in texts if (pair := PAIR.fullmatch(text.strip().lower())))
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
