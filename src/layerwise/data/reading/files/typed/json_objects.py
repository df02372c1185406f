"""Rows among JSON values: which list holds them, and objects within an object as columns named by their path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from layerwise.data.errors import DataError

PLAIN = (str, int, float, bool, type(None))
MAX_DEPTH = 20


def flat_object(row: Any, where: str) -> dict[str, Any]:
    """Return an object whose values are cells: objects within it become columns named by their path, such as
    `user.age`, as `pandas.json_normalize` names them, and a list of plain values becomes its JSON text.

    Args:
        row: any JSON value.
        where: it stands, for messages.

    Raises:
        DataError: it is no object, or holds a list of objects, which are rows of their own.
    """
    if not isinstance(row, dict):
        raise DataError(f"{where}: no JSON object of names and values")
    if all(isinstance(cell, PLAIN) for cell in row.values()):
        return row
    flat: dict[str, Any] = {}
    for name, cell in _cells(row, "", where):
        if name in flat:
            raise DataError(f"{where}: '{name}' is there twice, as a name and as a path")
        flat[name] = cell
    return flat


def _cells(row: dict[str, Any], prefix: str, where: str) -> Iterator[tuple[str, Any]]:
    if prefix.count(".") > MAX_DEPTH:
        raise DataError(f"{where}: objects lie within each other more than {MAX_DEPTH} deep")
    for key, cell in row.items():
        name = f"{prefix}{key}"
        if isinstance(cell, dict):
            yield from _cells(cell, f"{name}.", where)
        else:
            yield name, cell_of_list(cell, name, where) if isinstance(cell, list) else cell


def cell_of_list(values: list[Any], name: str, where: str) -> str:
    """Return the cell that a list of plain values is: its JSON text.

    Raises:
        DataError: it holds objects.
    """
    if any(isinstance(each, dict) or _holds_objects(each) for each in values):
        raise DataError(
            f"{where}: '{name}' holds a list of objects, which are rows of their own: pandas.json_normalize(rows, "
            f"record_path={name.split('.')!r}) makes a table of them"
        )
    return json.dumps(values, ensure_ascii=False)


def _holds_objects(value: Any) -> bool:
    """Return whether lists within a list hold an object."""
    open_lists = [value] if isinstance(value, list) else []
    while open_lists:
        for each in open_lists.pop():
            if isinstance(each, dict):
                return True
            if isinstance(each, list):
                open_lists.append(each)
    return False


def rows_within(value: dict[str, Any], where: str) -> list[Any] | None:
    """Return the rows of a table that is one JSON object; None where the object is no table but a row.

    These are the only list of objects somewhere within it, such as `{"data": [...]}`; or a table as pandas writes
    one: an object or a list for each column, or `columns` beside `data`.

    Raises:
        DataError: it holds several lists of objects.
    """
    table = _split_table(value) or _table_of_columns(value)
    if table is not None:
        return table
    found = list(_lists_of_objects(value, ""))
    if len(found) > 1:
        names = ", ".join(f"'{name}'" for name, _ in found[:5])
        raise DataError(
            f"{where} holds several lists of objects, {names}: write the one that is the table into a file of its own"
        )
    return found[0][1] if found else None


def _split_table(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    names, rows = value.get("columns"), value.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def _table_of_columns(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of an object that holds a list or an object of as many cells for each column."""
    columns = list(value.values())
    if len(columns) < 2 or not isinstance(columns[0], dict | list) or len(columns[0]) < 2:
        return None
    if any(type(each) is not type(columns[0]) or len(each) != len(columns[0]) for each in columns):
        return None
    index = columns[0] if isinstance(columns[0], dict) else range(len(columns[0]))
    if isinstance(columns[0], dict) and any(each.keys() != columns[0].keys() for each in columns):
        return None
    rows = [{name: value[name][key] for name in value} for key in index]
    return rows if all(isinstance(cell, PLAIN) for row in rows for cell in row.values()) else None


def _lists_of_objects(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, list[Any]]]:
    if prefix.count(".") > MAX_DEPTH:
        return
    for name, each in value.items():
        if isinstance(each, dict):
            yield from _lists_of_objects(each, f"{prefix}{name}.")
        elif isinstance(each, list) and each and all(isinstance(row, dict) for row in each):
            yield f"{prefix}{name}", each
