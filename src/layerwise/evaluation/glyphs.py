"""Names that a figure can show: fonts for what Matplotlib's own lacks, and words for what no font has."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from matplotlib import rcParams
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

# Fonts of Chinese, Japanese, Korean and others, as Linux, macOS and Windows bring them, and of signs.
FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Source Han Sans", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo",
    "Arial Unicode MS", "Microsoft YaHei", "SimHei", "Yu Gothic", "MS Gothic", "Malgun Gothic", "Nirmala UI",
    "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Bengali", "Noto Sans Tamil", "Leelawadee UI", "Noto Emoji",
    "Segoe UI Emoji", "Symbola",
)  # fmt: skip
# What joins or varies the signs around it.
JOINERS = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


@cache
def font_families() -> list[str]:
    """Return the families of fonts that figures are written in: Matplotlib's own, then those that are installed."""
    installed = {each.name for each in fontManager.ttflist}
    return [*rcParams["font.sans-serif"][:1], *(name for name in FALLBACKS if name in installed)]


@cache
def _is_drawn(letter: str) -> bool:
    """Return whether one of the fonts has a letter."""
    return any(
        get_font(findfont(FontProperties(family=[name]))).get_char_index(ord(letter))
        for name in font_families()
    )


def drawable(text: str) -> str:
    """Return a text that figures can show: letters that no font has by their code, other signs by their name."""
    if text.isascii() or all(letter.isspace() or _is_drawn(letter) for letter in text):
        return text
    text = JOINERS.sub("", text)
    parts: list[str] = []
    named: list[str] = []
    for letter in [*text, ""]:
        if letter and not letter.isspace() and not _is_drawn(letter):
            named.append(_named(letter))
            continue
        if named:
            parts.append(f"[{' '.join(named)}]")
            named = []
        parts.append(letter)
    return "".join(parts)


def _named(letter: str) -> str:
    """Return the name of a sign in small letters, the code of anything else: 'mobile phone', '4E2D'."""
    name = unicodedata.name(letter, "") if unicodedata.category(letter) == "So" else ""
    return name.removeprefix("REGIONAL INDICATOR SYMBOL LETTER ").lower() or f"{ord(letter):04X}"
