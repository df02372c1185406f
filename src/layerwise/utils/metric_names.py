"""The names of metrics as MLflow takes them: a column or a class may be called anything."""

from __future__ import annotations

import re

# MLflow takes letters, digits and these; a name is a path below which others may stand.
REFUSED = re.compile(r"[^\w.\- :/]")
MAX_LENGTH = 250


class MetricNames:
    """How each metric is called with MLflow, one name for each.

    Examples:
        >>> names = MetricNames()
        >>> names.allowed("drift/Alter (Jahre)"), names.allowed("drift/Alter [Jahre]")
        ('drift/Alter _Jahre_', 'drift/Alter _Jahre__2')
    """

    def __init__(self) -> None:
        self._allowed: dict[str, str] = {}

    def allowed(self, name: str) -> str:
        """Return the name that a metric is sent by; of two that would be one, the later has a number."""
        if name not in self._allowed:
            parts = REFUSED.sub("_", name).split("/")
            first = "/".join(part if part.strip(".") else "_" for part in parts)[:MAX_LENGTH]
            found, taken, count = first, set(self._allowed.values()), 1
            while found in taken:
                count += 1
                found = f"{first[: MAX_LENGTH - 8]}_{count}"
            self._allowed[name] = found
        return self._allowed[name]
