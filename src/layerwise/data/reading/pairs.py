"""Two numbers in a cell: a blood pressure 120/80, a score 3-2, a size 1920x1080."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

PAIR = re.compile(
    r"(?P<first>\d{1,9}(?:\.\d{1,9})?) ?(?P<mark>[/x×*:–-]) ?(?P<second>\d{1,9}(?:\.\d{1,9})?)", re.ASCII
)
# Codes and dates have leading zeros, measurements have none.
LEADING_ZERO = re.compile(r"(?<![\d.])0\d")
# Fewer different cells are rather names, such as classes of age: 18-25, 26-40.
MIN_PAIRS = 10


def pair_of(text: str, mark: str) -> tuple[float, float] | None:
    """Return the two numbers of a text, or None where it does not hold two with this mark between them."""
    found = PAIR.fullmatch(text.strip().lower())
    return (float(found["first"]), float(found["second"])) if found and found["mark"] == mark else None


def pair_text(first: float, second: float, mark: str) -> str:
    """Return the text of two numbers, which `pair_of` reads as these."""
    return mark.join(f"{value:.9g}" if abs(value) < 1e9 else f"{value:.0f}" for value in (first, second))


def mark_of_pairs(texts: Sequence[str]) -> str:
    """Return the mark that stands between two numbers in most texts that hold two; empty where none does."""
    found = Counter(pair["mark"] for text in texts if (pair := PAIR.fullmatch(text.strip().lower())))
    return found.most_common(1)[0][0] if found else ""


def find_pairs(texts: Collection[str]) -> str:
    """Return the mark between the two numbers that each text holds; empty where they are not all such.

    Args:
        texts: distinct ones. A few different ones, and codes with leading zeros, are rather names.
    """
    if len(texts) < MIN_PAIRS or any(LEADING_ZERO.search(text) for text in texts):
        return ""
    mark = mark_of_pairs(list(texts))
    return mark if mark and all(pair_of(text, mark) is not None for text in texts) else ""
