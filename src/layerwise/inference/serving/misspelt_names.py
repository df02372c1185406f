"""Names in a request that are nearly those of columns: with blanks around them as in a file, or misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from layerwise.data.reading.cells import trim

# Unknown names of a body that are compared with the known ones.
MAX_LIKENESSES, MAX_NAME = 100, 60


def trimmed_names(table: Any, known: list[str]) -> Any:
    """Return a table of JSON without the blanks around names that are known without them, as the names of a file are.

    Args:
        table: records, of which the first one's names tell, columns by name, or an object with `columns`.
        known: names of columns.
    """
    if isinstance(table, list):
        renamed = _trimmed(table[0] if table and isinstance(table[0], dict) else (), known)
        return [_renamed(row, renamed) for row in table] if renamed else table
    if not isinstance(table, dict):
        return table
    if not isinstance(names := table.get("columns"), list):
        return _renamed(table, _trimmed(table, known))
    renamed = _trimmed(names, known)
    return table | {"columns": [renamed.get(name, name) if isinstance(name, str) else name for name in names]}


def _trimmed(names: Iterable[Any], known: list[str]) -> dict[str, str]:
    texts = [name for name in names if isinstance(name, str)]
    short = {name: trim(name) for name in texts if trim(name) != name}
    return {
        name: new for name, new in short.items() if new in known and name not in known and new not in texts
    }


def _renamed(row: Any, names: dict[str, str]) -> Any:
    return {names.get(name, name): cell for name, cell in row.items()} if isinstance(row, dict) else row


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
