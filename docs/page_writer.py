"""What the scripts share that write a page of the documentation."""

from __future__ import annotations

import sys
from pathlib import Path

from layerwise.utils import atomic_write


def write(text: str) -> None:
    """Write a text to the file that the command names, or to the terminal."""
    if len(sys.argv) < 2:
        print(text, end="")
        return
    with atomic_write(Path(sys.argv[1])) as part:
        part.write_text(text)
