"""Names in several rows, as spreadsheets and pivot tables have them: a year above its months."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from layerwise.data.reading.cells.affixes import trim
from layerwise.data.reading.files.text.first_line import FEW_VALUES, MIN_ROWS, MOSTLY, NUMBER
from layerwise.data.reading.suggestions import SuggestedSetting, UnreadableError

MOST_ROWS = 5
# As a table shows numbers: with a sign, groups of digits, a currency or a unit.
SHOWN_NUMBER = re.compile(r"\W{0,3}\d[\d.,' \u00a0]*[^\d]{0,4}")
YEAR = re.compile(r"(?:19|20)\d\d", re.ASCII)

Rows = Sequence[Sequence[str]]


def join_names(rows: Rows) -> list[str]:
    """Return a name for each column: its cells in all rows of names, from top to bottom, joined by blanks.

    In all rows but the last an empty cell stands for the one to its left, as merged cells are written. A column whose
    cells are empty in every row has no name.

    Args:
        rows: the rows of names, from above.
    """
    width = max(map(len, rows))
    cells = [[trim(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    named = [any(column) for column in zip(*cells, strict=True)]
    for row in cells[:-1]:
        for k in range(1, width):
            row[k] = row[k] or row[k - 1]
    columns = zip(*cells, strict=True)
    # A cell that is merged downwards stands in the first of its rows.
    return [" ".join(filter(None, column)) if own else "" for own, column in zip(named, columns, strict=True)]


def names_in(rows: Rows, n_rows: int, known: Collection[str]) -> tuple[list[str], int]:
    """Return the names that a table begins with, and how many of its rows have them.

    Args:
        rows: the first ones.
        n_rows: of names, as the table has it that training read.
        known: the names that training found: where the first row has more of them than the rows joined, it alone holds
            the names, as where the same table was written with one row of names.
    """
    if n_rows == 1 or not rows:
        return list(rows[0]) if rows else [], 1
    joined = join_names(rows[:n_rows])
    found, alone = set(known) & set(joined), set(known) & {trim(cell) for cell in rows[0]}
    return (list(rows[0]), 1) if len(alone) > len(found) else (joined, len(rows[:n_rows]))


def count_header_rows(rows: Rows) -> int:
    """Return how many rows of names a table begins with: 1, or more where a row of names stands below one with gaps.

    The lower row holds names if it needs the one above, as its own are incomplete or come twice, and if it is no row of
    values: its cells are texts above numbers, or words that do not come again below.

    Args:
        rows: the first ones of the table, as long as most of them.
    """
    n = 1
    while n < MOST_ROWS and len(rows) > n + MIN_ROWS and _is_below_gaps(rows[:n], rows[n], rows[n + 1 :]):
        n += 1
    return n


def first_header_row(rows: Rows, start: int, n_rows: int | None) -> int:
    """Return the position of the first row of names.

    Args:
        rows: the first ones of a file.
        start: the position of the first that is as long as most are; a row of names above it has few cells.
        n_rows: how many rows of names there are; None to find out.
    """
    if n_rows == 1:
        return start
    for above in range(min(start, MOST_ROWS - 1), 0, -1):
        if count_header_rows(rows[start - above :]) > above:
            return start - above
    if n_rows is None and len(rows) > start + 1 + MIN_ROWS:
        return start + _is_complete_below_gaps(rows[start], rows[start + 1], rows[start + 2 :])
    if n_rows is None or count_header_rows(rows[start:]) > 1:
        return start
    return max(0, start - n_rows + 1)


def _is_complete_below_gaps(upper: Sequence[str], lower: Sequence[str], below: Rows) -> bool:
    """Return whether the lower row names all columns, below headings of some: it alone is the row of names."""
    headings, names = (list(map(str.strip, row)) for row in (upper, lower))
    if not (
        len(headings) == len(names) == len({*names} - {""}) and 1 < sum(map(bool, headings)) < len(names)
    ):
        return False
    same = [row for row in below if len(row) == len(names)]
    votes = [_is_name(name, [row[k] for row in same]) for k, name in enumerate(names)]
    return False not in votes and any(
        vote for vote, heading in zip(votes, headings, strict=True) if not heading
    )


def _is_below_gaps(above: Rows, row: Sequence[str], below: Rows) -> bool:
    upper, lower = [cell.strip() for cell in above[-1]], [cell.strip() for cell in row]
    if len(upper) != len(lower) or sum(map(bool, upper)) < 2:  # one cell is a heading
        return False
    filled = [k for k, cell in enumerate(lower) if cell]
    gaps = [k for k in filled if not upper[k]]
    texts = [lower[k] for k in filled]
    is_complete = all(lower[k] for k, cell in enumerate(upper) if cell) and len(set(texts)) == len(texts)
    joined = [name for name in join_names([*above, row]) if name]
    if not gaps or is_complete or len(set(joined)) < len(joined):
        return False
    votes = {k: _is_name(lower[k], [each[k] for each in below if len(each) == len(lower)]) for k in filled}
    return all(vote is not False for vote in votes.values()) and any(votes[k] for k in gaps)


def _is_name(cell: str, below: Sequence[str]) -> bool | None:
    """Return whether a cell names its column, by the cells below it; None where these do not tell."""
    values = [text.strip() for text in below if text.strip()]
    is_number = NUMBER.fullmatch(cell) is not None
    if is_number and not (YEAR.fullmatch(cell) and not any(map(YEAR.fullmatch, values))):
        return False
    if len(values) < MIN_ROWS:
        return None
    if sum(SHOWN_NUMBER.fullmatch(value) is not None for value in values) >= MOSTLY * len(values):
        return True
    if cell in values:  # of a question with several answers each cell is its name
        return None if len(set(values)) == 1 else False
    return True if len(set(values)) <= FEW_VALUES * len(values) else None


def refuse_header_rows(rows: Rows, name: str) -> None:
    """Refuse a table whose names stand in several rows while no setting says so.

    Args:
        rows: the first ones of the table, from its names on.
        name: of the file.

    Raises:
        UnreadableError: it has several; the message has the setting to add.
    """
    count = count_header_rows(rows)
    if count == 1:
        return
    upper, lower = (", ".join(map(str.strip, rows[k])) for k in (0, count - 1))
    joined = join_names(rows[:count])
    gap = next(k for k, cell in enumerate(rows[count - 1]) if cell.strip() and not rows[count - 2][k].strip())
    reason = (
        f"{name} has names in {count} rows, {upper[:60]!r} above {lower[:60]!r}, which are joined, "
        f"such as {joined[gap]!r}"
    )
    setting = SuggestedSetting("header_rows", count, reason, "1, if the second row is a row of values")
    raise UnreadableError(
        f"{reason}: add problem.reading.{setting.line}, or header_rows: 1 if the second row holds values",
        [setting],
    )
