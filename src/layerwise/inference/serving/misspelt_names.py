"""Records of a request that name a column which there is not, and lack one that is called nearly so."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

# Unknown names of a body that are compared with the known ones.
MAX_LIKENESSES, MAX_NAME = 100, 60


def misspelt_names(records: Any, known: list[str]) -> dict[int, str]:
    """Return what is wrong with records that name a column which is nearly one that they lack, by position."""
    found: dict[int, str] = {}
    likes: dict[str, list[str]] = {}
    for k, record in enumerate(records if isinstance(records, list) else []):
        lacks = isinstance(record, dict) and any(name not in record for name in known)
        for name in record if lacks else ():
            if name not in known and name not in likes and len(likes) < MAX_LIKENESSES:
                # An object whose parts are columns is no misspelt one.
                is_object = any(each.startswith(f"{name}.") for each in known)
                likes[name] = [] if is_object else get_close_matches(name[:MAX_NAME], known)
            if like := next((each for each in likes.get(name, ()) if each not in record), None):
                found[k] = f"there is no column '{name[:MAX_NAME]}'; did you mean '{like}'?"
    return found
