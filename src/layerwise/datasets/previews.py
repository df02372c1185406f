"""Previews for Kedro-Viz, which knows one by the name of the type that `preview` returns."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NewType

JSONPreview = NewType("JSONPreview", str)
TablePreview = NewType("TablePreview", dict)  # type: ignore[type-arg]
ImagePreview = NewType("ImagePreview", str)
# What is shown of a table.
ROWS, COLUMNS, DIGITS = 5, 10, 4


def table_preview(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> TablePreview:
    """Return a table of some rows."""
    return TablePreview(
        {"index": list(range(len(rows))), "columns": list(columns), "data": [list(row) for row in rows]}
    )


def image_preview(path: Path) -> ImagePreview:
    """Return an image file."""
    return ImagePreview(base64.b64encode(path.read_bytes()).decode())
