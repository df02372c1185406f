"""Markdown for the reports."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What Markdown would read as more than itself; an underscore inside a word is none.
SPECIAL = re.compile(r"[\\`*<\[~]|(?<!\w)_|_(?!\w)")


def escape(text: str) -> str:
    """Return a name that Markdown shows as it is."""
    return SPECIAL.sub(lambda found: "\\" + found[0], text)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )
