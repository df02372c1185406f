"""The encoding of a text that is no UTF-8: a few letters in a file of numbers are all the evidence there often is.

Statistics of languages need sentences. So the usual one-byte encodings of the languages in Latin letters go first, in
which every sign that is no ASCII has to be a letter of these languages at a place where such a letter stands; then
charset-normalizer decides among the encodings that tables come in.
"""

from __future__ import annotations

import re

# What is no ASCII in texts of these languages, the most frequent encoding first.
LETTERS = {
    "cp1252": "äöüßàâæçèéêëîïôœùûñáíóúåøãõìòÄÖÜÀÂÆÇÈÉÊËÎÏÔŒÙÛÑÁÍÓÚÅØÃÕ",
    "cp1254": "çğıöşüâîûÇĞİÖŞÜÂ",
    "cp1250": "áčďéěíňóřšťúůýžąćęłńśźżäľĺôŕőűöüßâăîşţđÁČĎÉĚÍŇÓŘŠŤÚŮÝŽĄĆĘŁŃŚŹŻÄĽÔŐŰÖÜÂĂÎŞŢĐ",
    "cp1257": "ąčęėįšųūžāēģīķļņõäöüĄČĘĖĮŠŲŪŽĀĒĢĪĶĻŅÕÄÖÜ",
}
SIGNS = "°€£§²³µ·«»–—’‘“”„…™®©½¼¾ªº¢±×÷¿¡•\xa0\xad"
# Signs that stand between two letters.
WITHIN_WORDS = "’–—…·\xad\xa0"
# Encodings of tables, for charset-normalizer: without those of other operating systems than DOS, Windows and the Mac.
USUAL = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "cp874",
    "koi8_r",
    "koi8_u",
    "iso8859_15",
    "cp437",
    "cp850",
    "cp852",
    "cp866",
    "mac_roman",
    "mac_cyrillic",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
    "johab",
]
WORD = re.compile(r"[^\W\d_]+")


def latin_encodings(sample: bytes) -> list[str]:
    """Return the encodings of languages in Latin letters in which a text reads well, the likeliest first.

    Args:
        sample: lines with bytes that are no ASCII.
    """
    found = []
    for encoding, letters in LETTERS.items():
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        if (fraction := _fraction_in_place(text, frozenset(letters))) >= 0.95:
            found.append((fraction, encoding))
    return [encoding for _, encoding in sorted(found, key=lambda each: -each[0])]


def _fraction_in_place(text: str, letters: frozenset[str]) -> float:
    """Return the fraction of the signs of a text that are no ASCII and stand where such signs do."""
    n = wrong = 0
    for word in WORD.finditer(text):
        found = word.group()
        foreign = [k for k, sign in enumerate(found) if not sign.isascii()]
        n += len(foreign)
        if len(found) > 2 and len(foreign) > 0.75 * len(found):
            wrong += len(foreign)
        else:
            wrong += sum(_is_out_of_place(found, k, letters) for k in foreign)
    for k, sign in enumerate(text):
        if not sign.isascii() and not WORD.match(sign):
            n += 1
            is_between = 0 < k < len(text) - 1 and text[k - 1].isalpha() and text[k + 1].isalpha()
            wrong += sign not in SIGNS or (is_between and sign not in WITHIN_WORDS)
    return 1 - wrong / n if n else 0.0


def _is_out_of_place(word: str, k: int, letters: frozenset[str]) -> bool:
    """Return whether a letter is none of the languages, or a capital after a small letter; an õ stands before an e."""
    sign = word[k]
    is_capital_within = sign.isupper() and k > 0 and word[k - 1].islower()
    return sign not in letters or is_capital_within or (sign == "õ" and word[k + 1 : k + 2] != "e")
