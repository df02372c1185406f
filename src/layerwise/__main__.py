"""`python -m layerwise`: run the packaged project, as `kedro run` runs it in its folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from kedro.framework.project import configure_project

from layerwise.cli import run


def main(*args: Any, **kwargs: Any) -> Any:
    """Run what the arguments name; see `python -m layerwise --help`."""
    configure_project(Path(__file__).parent.name)
    kwargs.setdefault("standalone_mode", not hasattr(sys, "ps1"))
    return run(*args, **kwargs)


if __name__ == "__main__":
    main()
