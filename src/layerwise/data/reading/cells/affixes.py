"""What stands around the digits of a number: signs, currencies, units, powers of ten, limits."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|HUF|RUB|BRL|ZAR|KRW|TRY|MXN"
# A backslash is how windows-932 stores a yen.
SYMBOL = rf"(?:(?:US|A|C)?\$|[€£¥￥\\₹₽₩₺₴₪฿¢]|{CODES}|kr|zł|Fr\.)"
# What signs and codes are one currency; any other one is its own.
SAME_CURRENCY = {
    "$": "USD", "US$": "USD", "A$": "AUD", "C$": "CAD", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY", "\\": "JPY",
    "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "zł": "PLN", "Fr.": "CHF",
}  # fmt: skip
SIGN = r"[+\-\u2212]?"
BLANKS = "\u00a0\u202f\u2009"
# A number as a table may show it: what it is made of, before its marks are understood.
SHOWN = re.compile(
    rf"(?P<open>\(?)(?P<sign>{SIGN})\s*(?P<front>{SYMBOL}?)\s*(?P<sign_2>{SIGN})"
    rf"(?P<core>(?:\d[\d.,'_ ]*|[.,]\d+)(?:[eE][+\-]?\d+)?)\s*(?P<back>{SYMBOL}?)\s*(?P<percent>%?)(?P<close>\)?)",
    re.ASCII,
)
# A number with a unit behind it, such as 71.7 kg, 20°C or 50.94° N.
WITH_UNIT = re.compile(rf"{SIGN}[\d.,'_ ]*\d ?(?P<unit>[^\W\d_]{{1,10}}[²³]?|° ?[A-Z]?)")
# Of fewer different texts 3D and 2D are names; a text with another unit, or without one, is a fault.
MIN_WITH_UNIT, MOSTLY = 5, 0.95
# Thousands, millions, lakhs and their like behind a number, in the powers of ten of each: a letter without a blank.
POWERS = {
    "k": 3, "K": 3, "M": 6, "B": 9, "G": 9, "T": 12, "Tsd": 3, "thousand": 3, "mn": 6, "Mn": 6, "Mio": 6, "million": 6,
    "Million": 6, "bn": 9, "Bn": 9, "Mrd": 9, "billion": 9, "Billion": 9, "Lakh": 5,
    "lakh": 5, "Lakhs": 5, "lakhs": 5, "Lac": 5, "lac": 5, "Lacs": 5, "lacs": 5, "Cr": 7, "cr": 7, "Crore": 7,
    "crore": 7, "Crores": 7, "crores": 7,
}  # fmt: skip
LETTERS, SUFFIXES = (
    "".join(each for each in POWERS if len(each) == 1),
    "|".join(each for each in POWERS if each[1:]),
)
WITH_POWER = re.compile(
    rf"(?P<front>.*\d)(?:(?P<letter>[{LETTERS}m])|\s?(?P<word>{SUFFIXES})\.?)(?P<back>\s*{SYMBOL}?\)?)"
)
# What a laboratory or a form does not tell closer: <0.5, ≥ 1000, 4+.
BOUND = re.compile(r"[<>≤≥]=?\s*(?P<after>\S.*)|(?P<before>.*\d)\s?\+")
# Degrees of a place, with minutes and seconds or a fraction, and the half of the globe: 48°51'24"N, 12.5° S.
DEGREES = re.compile(
    rf"(?P<sign>{SIGN})(?P<degrees>\d{{1,3}}(?:\.\d+)?) ?°(?: ?(?P<minutes>[0-5]?\d(?:\.\d+)?) ?['′])?"
    r"(?: ?(?P<seconds>[0-5]?\d(?:\.\d+)?) ?(?:\"|″|''))? ?(?P<half>[NSEWO]?)",
    re.ASCII,
)
# As accounts are kept: 1.234,50- and 12.00-€. Of whole numbers 2- may be a mark.
SIGN_BEHIND = re.compile(rf"^(?P<number>\d[\d.,' ]*[.,]\d+) ?-(?P<back>\s*{SYMBOL}?)$", re.ASCII)
TIDY = {ord(c): " " for c in BLANKS} | {ord("’"): "'", ord("\u2212"): "-"}
# What no one sees in a text: soft hyphens, blanks of no width, marks of direction. Joiners shape letters within words.
UNSEEN = (
    "\u00ad\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069"
    "\ufeff"
)
WITHOUT_UNSEEN = dict.fromkeys(map(ord, UNSEEN))
# No character after U+3000 is a blank.
AROUND = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200c\u200d" + UNSEEN
# As wide as a blank.
LIKE_BLANKS = dict.fromkeys(map(ord, f"{BLANKS}\u2007"), " ")


def trim(text: str) -> str:
    """Return a text without the blanks around it, and without what cannot be seen there."""
    return text.strip() if text.isascii() else text.strip(AROUND)


def plain_text(text: str) -> str:
    """Return the text of a cell such that cells which look alike are one: what cannot be seen is left out, one kind of
    blank within words, letters with their accents as one character (Unicode's NFC), no blanks around it.
    """
    if text.isascii():
        return text.strip()
    return trim(unicodedata.normalize("NFC", text.translate(WITHOUT_UNSEEN)).translate(LIKE_BLANKS))


def tidy(text: str) -> str:
    """Return a number's text with one kind of blank and of apostrophe, and its sign before it."""
    text = text.strip() if text.isascii() else plain_text(text).translate(TIDY)
    return SIGN_BEHIND.sub(r"-\g<number>\g<back>", text) if "-" in text[1:] else text


def degrees_of(text: str) -> float | None:
    """Return the degrees that a text means, those of south and west negative; None for any other text."""
    found = DEGREES.fullmatch(tidy(text))
    if found is None or (found["sign"] and found["half"]):
        return None
    value = float(found["degrees"]) + float(found["minutes"] or 0) / 60 + float(found["seconds"] or 0) / 3600
    return -value if found["sign"] == "-" or found["half"] in ("S", "W") else value


def currencies_of(symbols: Sequence[str]) -> list[str]:
    """Return the different currencies that signs and codes stand for."""
    return sorted({SAME_CURRENCY.get(each, each) for each in symbols})


def unit_of(text: str) -> str:
    """Return the unit behind a number, or whatever word stands there; empty for any other text."""
    shape = WITH_UNIT.fullmatch(tidy(text))
    return "" if shape is None else shape["unit"]


def shared_unit(texts: Sequence[str]) -> str:
    """Return the unit behind nearly all of the numbers, the same one; empty if there is none."""
    # Of most columns a few cells tell.
    if len(texts) < MIN_WITH_UNIT or not any(map(unit_of, texts[:MIN_WITH_UNIT])):
        return ""
    units = Counter(filter(None, map(unit_of, texts)))
    unit, count = units.most_common(1)[0]
    # 300 K are kelvin, 300K are thousands.
    is_other = re.fullmatch(SYMBOL, unit) or (unit in POWERS and have_powers(texts))
    return unit if count >= MOSTLY * len(texts) and not is_other else ""


def have_bounds(texts: Sequence[str]) -> bool:
    """Return whether nearly all of the texts are numbers, and some of them are limits."""
    tidied = [tidy(text) for text in texts]
    numbers = [without_bound(text) for text in tidied]
    if numbers == tidied:
        return False
    return sum(SHOWN.fullmatch(without_power(each)[0]) is not None for each in numbers) >= MOSTLY * len(texts)


def without_bound(text: str) -> str:
    """Return a number's text without the mark of a limit."""
    found = BOUND.fullmatch(text)
    return text if found is None else found["after"] or found["before"]


def have_powers(texts: Sequence[str]) -> bool:
    """Return whether nearly all of the texts are numbers, and many of them have a suffix such as M for millions."""
    tidied = [tidy(text) for text in texts]
    shapes = [WITH_POWER.fullmatch(text) for text in tidied]
    letters = {shape["letter"] for shape in shapes if shape}
    if sum(shape is not None for shape in shapes) < MIN_WITH_UNIT or letters == {"m"}:  # metres
        return False
    plain = [without_power(text)[0] for text in tidied]
    return sum(SHOWN.fullmatch(text) is not None for text in plain) >= MOSTLY * len(texts)


def without_power(text: str) -> tuple[str, int]:
    """Return a number's text without the suffix that multiplies it, and the power of ten that this one is."""
    found = WITH_POWER.fullmatch(text)
    if found is None:
        return text, 0
    suffix = found["letter"] or found["word"]
    return found["front"] + found["back"], 6 if suffix == "m" else POWERS[suffix]
