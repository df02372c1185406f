"""Files of ratings: lines of a user, an item and a rating, under any names and between any separators."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.reading.cells.affixes import plain_text
from layerwise.data.sources.files import GZIP_MAGIC
from layerwise.data.sources.ratings import Ratings
from layerwise.data.sources.texts import decode_text
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("user", "item", "rating")
# What a column is called, where no setting says so: the beginning of its name, in lower case.
NAMES = {
    "user": ("user", "customer", "reader", "reviewer", "person", "member", "client", "kunde", "nutzer"),
    "item": ("item", "movie", "film", "book", "isbn", "product", "song", "artist", "title", "article"),
    "rating": ("rating", "stars", "score", "value", "grade", "vote", "points", "bewertung", "note"),
}  # fmt: skip
SEPARATORS = ("::", "\t", ";", ",", "|")
MAX_LEVELS = 50
# The first column of a file without a header.
UNNAMED = "column 1"


def read_ratings(path: str | Path, columns: Mapping[str, str] | None = None) -> Ratings:
    """Return the ratings of a file, plain or gz; users and items are numbered by what is rated.

    Of several ratings of one item by one user the last counts: by the column of times if there is one among `columns`,
    else by the line.

    Args:
        path: of the file.
        columns: the names of the columns `user`, `item`, `rating` and `time`; by default they are found by their
            names, and are the first three where the file has no header.

    Raises:
        DataError: no such columns, no number as a rating, or no rating at all.
    """
    path = Path(path)
    table = read_rating_lines(path)
    found = _find_columns(table, columns or {}, path)
    ratings = [number_of(text) for text in table[found["rating"]]]
    bad = next((k for k, value in enumerate(ratings) if not np.isfinite(value)), None)
    if bad is not None:
        raise DataError(
            f"{path}: the rating {table[found['rating']].iloc[bad]!r} of line {table.index[bad]} is no number; "
            f"lines hold a user, an item and a rating"
        )
    users, user_names = _numbered(table[found["user"]])
    items, item_names = _numbered(table[found["item"]])
    values = np.array(ratings)
    order = np.arange(len(values))
    if "time" in found:
        times = np.array([number_of(text) for text in table[found["time"]]])
        if np.isnan(times).any():
            raise DataError(f"{path}: column '{found['time']}' holds something other than numbers: no times")
        order = np.argsort(times, kind="stable")
    pairs = users * len(item_names) + items
    # The last one of each pair in the order of time; kept in the order of the file.
    _, last = np.unique(pairs[order][::-1], return_index=True)
    kept = np.sort(order[::-1][last])
    notes: tuple[str, ...] = ()
    if len(kept) < len(values):
        by = "by time" if "time" in found else "by the line"
        doubles = len(values) - len(kept)
        notes = (f"{doubles} of {len(values)} ratings are of a pair rated again; the last one counts, {by}.",)
    levels = np.unique(values[kept])
    if len(levels) > MAX_LEVELS:
        raise DataError(
            f"{path} has {len(levels)} different ratings, such as {levels[0]:g} and {levels[1]:g}; round them to at "
            f"most {MAX_LEVELS} levels"
        )
    return Ratings(
        users[kept],
        items[kept],
        values[kept],
        tuple(f"item {name}" for name in item_names),
        user_ids=tuple(user_names),
        item_ids=tuple(item_names),
        notes=notes,
        columns=("user", "item", "rating")
        if table.columns[0] == UNNAMED
        else tuple(found[role] for role in COLUMNS),
    )


def find_rating_columns(names: Sequence[str]) -> dict[str, str] | None:
    """Return the columns that are called like users, items and ratings, None where one of the three is not there."""
    found: dict[str, str] = {}
    for role in COLUMNS:
        free = [name for name in names if name not in found.values()]
        named = [name for name in free if name.lower().strip().startswith(NAMES[role])]
        if not named:
            return None
        found[role] = named[0]
    return found


def read_titles(path: str | Path) -> dict[str, str]:
    """Return the titles of items by their ids: the first two cells of each line; Latin-1 where it is no UTF-8."""
    text = _decoded(Path(path))
    mark = _separator(text)
    rows = (
        csv.reader(io.StringIO(text), delimiter=mark)
        if mark in (",", ";", "\t")
        else (line.split(mark) for line in text.splitlines())
    )
    return {row[0].strip(): row[1].strip() for row in rows if len(row) > 1}


def read_rating_lines(path: Path) -> pd.DataFrame:
    """Return the lines as text cells by column; the index holds the line numbers.

    The columns of a file without a header are called `column 1` and so on.

    Raises:
        DataError: the file is empty, or its lines have fewer than three cells.
    """
    import pandas as pd

    text = _decoded(path)
    if not text.strip():
        raise DataError(f"{path} is empty: it holds no lines of user, item and rating")
    mark = _separator(text)
    if mark == "::":
        text, mark = text.replace("::", "\t"), "\t"
    lines = {k: line for k, line in enumerate(text.splitlines(), 1) if line.strip()}
    whole = io.StringIO("\n".join(lines.values()))
    try:
        table = pd.read_csv(whole, sep=mark, header=None, dtype=str, keep_default_na=False)
    except pd.errors.ParserError as error:
        raise DataError(f"{path} does not hold lines of user, item and rating: {error}") from error
    if table.shape[1] < 3:
        raise DataError(
            f"{path} does not hold lines of user, item and rating: lines have {table.shape[1]} cells"
        )
    table = table.set_axis(list(lines), axis=0).apply(lambda column: column.map(plain_text))
    first = table.iloc[0]
    if any(not np.isfinite(number_of(text)) for text in first) and not _is_data(table):
        table = table.iloc[1:].set_axis([str(name) for name in first], axis=1)
    else:
        table = table.set_axis([f"column {k + 1}" for k in range(table.shape[1])], axis=1)
    return table


def _is_data(table: pd.DataFrame) -> bool:
    """Whether the first line is a rating like the others: some column is all numbers from it on."""
    return len(table) == 1 or any(
        np.isfinite(number_of(str(table.iloc[0, k]))) and np.isfinite(number_of(str(table.iloc[1, k])))
        for k in range(table.shape[1])
    )


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw.startswith(GZIP_MAGIC) else raw
    return decode_text(raw)


def _separator(text: str) -> str:
    """Return the separator that stands in the first line, the longer ones first."""
    first = next(line for line in text.splitlines() if line.strip())
    return next((mark for mark in SEPARATORS if first.count(mark) > 1), ",")


def _find_columns(table: pd.DataFrame, asked: Mapping[str, str], path: Path) -> dict[str, str]:
    there = [str(name) for name in table]
    for role, name in asked.items():
        if role not in (*COLUMNS, "time"):
            raise DataError(f"columns names '{role}'; it names {', '.join(COLUMNS)} and time")
        if name not in there:
            raise DataError(f"{path} has no column '{name}' for the {role}{nearest(name, there)}")
    found = dict(asked)
    for role in COLUMNS:
        if role in found:
            continue
        free = [name for name in there if name not in found.values()]
        named = [name for name in free if name.lower().strip().startswith(NAMES[role])]
        if there[0] == UNNAMED and len(there) >= 3:
            found[role] = there[COLUMNS.index(role)]
        elif named:
            found[role] = named[0]
        else:
            shown = ", ".join(f"{each}: {name}" for each, name in zip(COLUMNS, there, strict=False))
            raise DataError(
                f"{path}: which column is the {role}? Its columns are {', '.join(there)}; name them, such as "
                f"columns: {{{shown}}}"
            )
    return found


def number_of(text: str) -> float:
    """Return the number that a cell holds, with a decimal comma too; NaN of what is none."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(text.replace(",", "."))  # 3,5 stars
    except ValueError:
        return float("nan")


def _numbered(ids: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return the position of each id among those that occur, and these: numbers in their order, text in its own."""
    names = ids.unique().tolist()
    if all(name.isdecimal() for name in names):
        names = sorted(names, key=lambda name: (int(name), name))
    else:
        names = sorted(names)
    at = {name: k for k, name in enumerate(names)}
    return ids.map(at).to_numpy(np.int64), names
