"""Whether a run that goes on has the rows and the parameters that it began with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from layerwise.utils import ResumeError, atomic_write


class DataChangeCheck:
    """Compare the rows with those that the run began with, when they are reported.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "data.json"

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None:
        """Metrics say nothing of the rows."""

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Write down what the rows are, or compare.

        Raises:
            ResumeError: they are others.
        """
        own = {
            name: value for name, value in tags.items() if name.startswith("data.") and name != "data.source"
        }
        if not own:
            return
        if not self.path.exists():
            with suppress(OSError), atomic_write(self.path) as part:  # a full disk costs the comparison alone
                part.write_text(json.dumps(own))
            return
        try:
            then = dict(json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise ResumeError(
                f"{self.path}, which says what rows the run began with, cannot be read ({error}): start a new run with "
                "resume=false"
            ) from error
        differ = differences(then, own)
        if differ:
            raise ResumeError(
                f"the run cannot go on with other rows: {'; '.join(differ)}. The rows come from "
                f"{tags.get('data.source', 'the raw data')}: give it the file of then, or start a new run with "
                "resume=false"
            )


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return a phrase for each name whose value is not the same."""
    return [
        f"{name} was {then.get(name, 'not there')} and is {now.get(name, 'not there')}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
